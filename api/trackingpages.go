package api

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
)

// trackingPage is a page that people see who follow an address out of a mail.
type trackingPage struct {
	Title string
	Parts []trackingPart
}

// trackingPart is a sentence, and a button that says yes to it; none without a Button.
type trackingPart struct {
	Text                string
	Button, Name, Value string
}

// trackingPages are the pages by name.
var trackingPages = map[string]trackingPage{
	"ask": {"Unsubscribe", []trackingPart{
		{"You get no more of these mails once you press the button.", "Unsubscribe", oneClickName, oneClickValue},
		{"You may also go on getting them, without anybody being told when you open them.", "Do not measure what I open", "Tracking", "Off"},
	}},
	"done":    {"You are unsubscribed", []trackingPart{{Text: "The sender has been told. You may close this page."}}},
	"off":     {"Nothing is measured any more", []trackingPart{{Text: "The sender is no longer told when you open a mail or follow a link. You may close this page."}}},
	"unknown": {"This address is not known here", []trackingPart{{Text: "It may have been cut on its way. Try the link in the mail again."}}},
	"later":   {"This did not work just now", []trackingPart{{Text: "Please try again in a minute. Nothing is changed yet."}}},
	"notices-ask": {"No more of these mails", []trackingPart{{
		"Tidings sends you no more mails of this kind once you press the button. You still see all of it in the page, and your other notifications come as before.",
		"Send me no more of these", oneClickName, oneClickValue,
	}}},
	"notices-done": {"You get no more of these mails", []trackingPart{{
		"Tidings sends you no more mails of this kind. Settings, Notifications has what you stopped.",
		"Send them again after all", "Undo", "Yes",
	}}},
	"notices-undone": {"You get these mails again", []trackingPart{{Text: "Tidings sends you mails of this kind as before. You may close this page."}}},
}

//go:embed trackingpage.html
var trackingTemplate string

// makeTrackingPages writes the pages as HTML.
func makeTrackingPages() (map[string][]byte, error) {
	layout, err := template.New("page").Parse(trackingTemplate)
	if err != nil {
		return nil, fmt.Errorf("tracking: %w", err)
	}
	pages := make(map[string][]byte, len(trackingPages))
	for name, page := range trackingPages {
		var out bytes.Buffer
		if err := layout.Execute(&out, page); err != nil {
			return nil, fmt.Errorf("tracking: %w", err)
		}
		pages[name] = out.Bytes()
	}
	return pages, nil
}
