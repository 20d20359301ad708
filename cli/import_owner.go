package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"tidings/address"
	"tidings/apiclient"
	"tidings/event"
	"tidings/mailbox"
)

// everybody is the --own that makes each author internal.
const everybody = "*"

// owner is whose mail is imported: the addresses of the workspace's people, those of
// --own, and --user.
func (c *importCmd) owner(ctx context.Context, env *environment, client *apiclient.Client) (mailbox.Owner, error) {
	o := mailbox.Owner{Users: make(map[string]string), SentUser: c.User}
	members, err := listMembers(ctx, client)
	if err != nil {
		return o, err
	}
	for _, member := range members {
		for _, email := range member.Emails {
			o.Users[address.Fold(email)] = member.ID
		}
	}
	if strings.Contains(c.User, "@") {
		email, problem := address.Canonical(c.User)
		if problem != "" {
			return o, &usageError{"--user " + problem}
		}
		if _, known := o.Users[email]; !known {
			o.Users[email] = email
		}
		o.SentUser = o.Users[email]
	}
	for _, own := range c.Own {
		if own == everybody {
			o.Everybody = true
			continue
		}
		if err := c.addOwn(o, own); err != nil {
			return o, err
		}
	}
	if c.User != "" && !o.Everybody && !slices.Contains(slices.Collect(maps.Values(o.Users)), c.User) && !strings.Contains(c.User, "@") {
		fmt.Fprintf(env.Err, "User %s has no address here: only folders of sent mail count as theirs. Give --own ana@acme.example too.\n", c.User)
	}
	return o, nil
}

// addOwn adds an address or a domain of --own. An address is --user's where that is a
// user's id.
func (c *importCmd) addOwn(o mailbox.Owner, own string) error {
	own = strings.TrimPrefix(own, "@")
	if !strings.Contains(own, "@") {
		if domain := address.Domain(own); strings.Contains(domain, ".") && !strings.ContainsAny(domain, " /") {
			o.Users[domain] = ""
			return nil
		}
		return &usageError{"--own " + own + " is neither an address nor a domain, such as ana@acme.example or acme.example"}
	}
	email, problem := address.Canonical(own)
	if problem != "" {
		return &usageError{"--own " + own + " " + problem}
	}
	if _, known := o.Users[email]; !known {
		o.Users[email] = ""
		if c.User != "" && !strings.Contains(c.User, "@") {
			o.Users[email] = c.User
		}
	}
	return nil
}

// listMembers asks for the workspace's people. A key that may not see them knows none.
func listMembers(ctx context.Context, client *apiclient.Client) ([]member, error) {
	var answer struct {
		Items []member `json:"items"`
	}
	err := client.Send(ctx, http.MethodGet, "/v1/users", "", nil, &answer)
	var problem *apiclient.Error
	if errors.As(err, &problem) && (problem.Status == http.StatusForbidden || problem.Status == http.StatusNotFound) {
		return nil, nil
	}
	return answer.Items, err
}

type member struct {
	ID     string   `json:"id"`
	Emails []string `json:"emails"`
}

// whose says how to tell whose mail it is.
const whose = "--user ana@acme.example for one person's, --own acme.example for all of a domain, --own '*' for an archive in which every author is yours"

// errNobody says why nothing was taken of mail that others have sent.
var errNobody = event.Invalid("", "nothing was taken, since nothing says whose mail it is: it lies in no folder of sent mail, and no user of the workspace has an address. Give "+whose)
