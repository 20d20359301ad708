package deliver

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
)

// Bounds of a message to Slack: https://docs.slack.dev/reference/block-kit/blocks/section-block
const (
	slackSection = 3000
	slackContext = 2000
	slackTotal   = 12 << 10
)

// slackEscapes are the three characters that control mrkdwn: with them escaped, no text
// of an event is a mention (<!channel>), a link or an entity.
// https://docs.slack.dev/messaging/formatting-message-text#escaping
var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slackText is a text of an event for mrkdwn. A character without a width behind the
// signs of style keeps them from styling.
func slackText(text string, most int) string {
	text = OneLine(text, most)
	for _, sign := range []string{"*", "_", "~", "`"} {
		text = strings.ReplaceAll(text, sign, "\u200b"+sign+"\u200b")
	}
	return slackEscapes.Replace(text)
}

type slackMessage struct {
	Text        string       `json:"text"`
	Blocks      []slackBlock `json:"blocks"`
	UnfurlLinks bool         `json:"unfurl_links"`
	UnfurlMedia bool         `json:"unfurl_media"`
}

type slackBlock struct {
	Type     string       `json:"type"`
	Text     *slackField  `json:"text,omitempty"`
	Elements []slackField `json:"elements,omitempty"`
}

type slackField struct {
	Type string `json:"type"`
	Text string `json:"text"`
	// Verbatim keeps Slack from making links and mentions of what looks like them.
	Verbatim bool `json:"verbatim"`
}

// slackBody is a message as an incoming webhook takes it.
func slackBody(c Content) ([]byte, error) {
	text := "*" + slackText(c.Sentence, 500) + "*\n" + slackText(c.Subject, 500)
	for _, line := range c.Lines {
		text += "\n• " + slackText(line, 200)
	}
	section := slackField{"mrkdwn", cut(text, slackSection), true}
	if c.Link != "" {
		section.Text += "\n<" + slackEscapes.Replace(c.Link) + "|Open in Tidings>"
	}
	message := slackMessage{Text: slackText(c.Sentence, 500), Blocks: []slackBlock{{Type: "section", Text: &section}}}
	if c.Why != "" {
		message.Blocks = append(message.Blocks, slackBlock{Type: "context", Elements: []slackField{{"mrkdwn", cut(slackText(c.Why, 500), slackContext), true}}})
	}
	body, err := json.Marshal(message)
	if err == nil && len(body) > slackTotal {
		message.Blocks = message.Blocks[:1]
		message.Blocks[0].Text.Text = slackText(c.Sentence, 200)
		return json.Marshal(message)
	}
	return body, err
}

// cut is a text of at most so many characters.
func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// slack sends one. Slack answers 200 "ok"; of the errors that it names, those with 400,
// 403, 404 and 410 stay.
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
func (s *Sender) slack(ctx context.Context, e Endpoint, c Content) Outcome {
	body, err := slackBody(c)
	if err != nil {
		return broken(s.Clock(), err)
	}
	out := s.post(ctx, e.URL, nil, body)
	out.OK = out.Status == http.StatusOK
	switch out.Status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		out.Final = true
	}
	out.Gone = out.Status == http.StatusGone
	return out
}
