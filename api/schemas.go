package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"tidings/event"
)

// nameSchema names types in the document, where a package's name is missing.
func nameSchema(t reflect.Type, hint string) string {
	if t == reflect.TypeFor[event.Input]() {
		return "EventInput"
	}
	return huma.DefaultSchemaNamer(t, hint)
}

// completeSchemas writes into the document what the Go types do not tell of
// themselves: package event knows nothing of documents, and a reference cannot
// be marked as nullable.
func completeSchemas(docs huma.API) {
	schemas := docs.OpenAPI().Components.Schemas.Map()
	types := make([]any, len(event.Types))
	for i, t := range event.Types {
		types[i] = string(t)
	}
	for _, name := range []string{"EventInput", "Item", "EventView", "TypeCount"} {
		schemas[name].Properties["type"].Enum = types
	}

	in := schemas["EventInput"].Properties
	in["time"] = momentSchema("when it happened, by the sender's clock")
	schemas["AppointmentInput"].Properties["start"] = momentSchema("when the meeting begins")
	schemas["AppointmentInput"].Properties["answer"].Enum = []any{"yes", "no", "maybe"}
	schemas["BounceDetail"].Properties["kind"].Enum = []any{"hard", "soft"}
	for name, text := range map[string]string{
		"id":         "the sender's own key: the same id and time again is the same event",
		"message":    "the sender's id of the mail that this is about",
		"user":       "whose mail it is",
		"recipient":  "who acted, or was acted on; on everything but a send",
		"recipients": "on a send: 1 to 1,000 people",
		"body":       "sends and replies; cut at 64 KiB",
		"kind":       "custom events: a word for what it is",
		"title":      "custom events: what people read",
		"client":     "evidence of who did it, kept as it comes",
		"source":     "who says so; api when absent",
	} {
		in[name].Description = text
	}
	most := event.MaxRecipients
	in["recipients"].MaxItems = &most

	orNull(schemas["SessionView"].Properties, "user")
	orNull(schemas["Settings"].Properties, "reader")
}

func momentSchema(description string) *huma.Schema {
	return &huma.Schema{Description: description, OneOf: []*huma.Schema{
		{Type: huma.TypeString, Format: "date-time", Description: "RFC 3339; a fraction of a second is dropped"},
		{Type: huma.TypeInteger, Format: "int64", Description: "Unix seconds"},
	}}
}

// orNull makes a property that refers to another schema nullable.
func orNull(properties map[string]*huma.Schema, name string) {
	given := properties[name]
	properties[name] = &huma.Schema{
		Description: given.Description,
		OneOf:       []*huma.Schema{{Ref: given.Ref}, {Type: "null"}},
	}
}
