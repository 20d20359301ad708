package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"tidings/api"
	"tidings/apiclient"
	"tidings/app"
)

// addressFlags are how requests reach processes that answer them.
type addressFlags struct {
	PublicURL string `name:"public-url" help:"How people and the pictures and links in mail reach this server, such as https://t.example.com. Pictures and links do by default as those who ask for them did; links by which people sign in, by mail or by a provider, need it." placeholder:"URL"`
}

// sendLinksCmd makes the tracking addresses of a message.
type sendLinksCmd struct {
	workspaceTarget
	Message   string   `help:"Your id of the mail, as on its send event." required:"" placeholder:"ID"`
	User      string   `help:"Whose mail it is." placeholder:"USER"`
	To        []string `help:"Recipients' addresses; each gets addresses of its own." required:"" placeholder:"ADDRESS"`
	Link      []string `help:"Where the mail's links lead." placeholder:"URL"`
	PublicURL string   `name:"public-url" help:"How mail reaches the server, with --data." placeholder:"URL"`
	JSON      bool     `name:"json" help:"Write one JSON object a recipient."`
}

// Help shows what comes out.
func (sendLinksCmd) Help() string {
	return `For those who send mail themselves. It prints, for each recipient, the address of
a picture that tells of an open, one for each link, and one to unsubscribe with:

  tidings send-links --server URL --key KEY --message m-17 --to jo@acme.example --link https://example.com/

Send an event of type send with the same message id, so that the feed knows the
mail. What the addresses hold is signed; nothing is kept.`
}

// Run asks for the addresses and prints them.
func (c *sendLinksCmd) Run(ctx context.Context, env *environment) error {
	if err := app.CheckPublicURL(c.PublicURL); err != nil {
		return &usageError{err.Error()}
	}
	if c.Data != "" && c.PublicURL == "" {
		return &usageError{"--data needs --public-url: nobody else can tell how mail reaches the server"}
	}
	request := api.LinksRequest{Message: c.Message, User: c.User, Recipients: c.To, Links: c.Link, PublicURL: c.PublicURL}
	return c.with(ctx, env, looks, func(client *apiclient.Client) error {
		var made struct{ Items []api.RecipientLinks }
		if err := client.Call(ctx, http.MethodPost, "/v1/links", request, &made); err != nil {
			return err
		}
		for _, links := range made.Items {
			if err := c.print(env, links); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *sendLinksCmd) print(env *environment, links api.RecipientLinks) error {
	if c.JSON {
		return json.NewEncoder(env.Out).Encode(links)
	}
	fmt.Fprintf(env.Out, "%s\n", links.Recipient)
	if links.Tracked {
		fmt.Fprintf(env.Out, "  open         %s\n", links.Open)
	} else {
		fmt.Fprintln(env.Out, "  not measured: no picture, links as they are")
	}
	for _, link := range links.Links {
		fmt.Fprintf(env.Out, "  link         %s\n               %s\n", link.Link, link.URL)
	}
	_, err := fmt.Fprintf(env.Out, "  unsubscribe  %s\n", links.Unsubscribe)
	return err
}
