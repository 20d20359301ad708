package deliver

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
)

// teamsTotal bounds a card: Teams says 28 KB and takes less.
const teamsTotal = 20 << 10

// cardEscapes are the signs of the markdown that cards know: bold, italic, lists, links.
// https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features
var cardEscapes = strings.NewReplacer(
	`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "(", `\(`, ")", `\)`, "#", `\#`, "-", `\-`, "+", `\+`, "`", "\\`",
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "{{", "{\u200b{",
)

func cardText(text string, most int) string { return cardEscapes.Replace(OneLine(text, most)) }

type teamsMessage struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string    `json:"contentType"`
	Content     teamsCard `json:"content"`
}

type teamsCard struct {
	Schema  string         `json:"$schema"`
	Type    string         `json:"type"`
	Version string         `json:"version"`
	Body    []teamsElement `json:"body"`
	Actions []teamsAction  `json:"actions,omitempty"`
}

type teamsElement struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Weight string `json:"weight,omitempty"`
	Wrap   bool   `json:"wrap"`
	Subtle bool   `json:"isSubtle,omitempty"`
}

type teamsAction struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// teamsBody is a card as a workflow takes it that is started by a webhook request.
// https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
func teamsBody(c Content) ([]byte, error) {
	card := teamsCard{Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4"}
	card.Body = append(card.Body, teamsElement{Type: "TextBlock", Text: cardText(c.Sentence, 500), Weight: "Bolder", Wrap: true})
	if c.Subject != "" {
		card.Body = append(card.Body, teamsElement{Type: "TextBlock", Text: cardText(c.Subject, 500), Wrap: true})
	}
	if c.Why != "" {
		card.Body = append(card.Body, teamsElement{Type: "TextBlock", Text: cardText(c.Why, 500), Wrap: true, Subtle: true})
	}
	if c.Link != "" {
		card.Actions = []teamsAction{{"Action.OpenUrl", "Open in Tidings", c.Link}}
	}
	message := teamsMessage{"message", []teamsAttachment{{"application/vnd.microsoft.card.adaptive", card}}}
	body, err := json.Marshal(message)
	if err == nil && len(body) > teamsTotal {
		message.Attachments[0].Content.Body = card.Body[:1]
		return json.Marshal(message)
	}
	return body, err
}

// teams sends one: a workflow answers 202 once it has taken it.
func (s *Sender) teams(ctx context.Context, e Endpoint, c Content) Outcome {
	body, err := teamsBody(c)
	if err != nil {
		return broken(s.Clock(), err)
	}
	out := s.post(ctx, e.URL, nil, body)
	out.OK = out.Status >= 200 && out.Status < 300
	switch out.Status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusRequestEntityTooLarge:
		out.Final = true
	}
	out.Gone = out.Status == http.StatusGone
	return out
}
