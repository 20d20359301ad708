package api

import (
	"reflect"
	"slices"
	"strings"

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

	completeEvent(schemas)
	completeRequests(schemas)
	completeIDs(docs.OpenAPI().Paths)
	orNull(schemas["SessionView"], "user")
	orNull(schemas["Settings"], "reader")
}

// completeEvent tells what an event may hold. Bounds in bytes are documented as
// the characters that they are in plain English.
func completeEvent(schemas map[string]*huma.Schema) {
	in := schemas["EventInput"].Properties
	in["time"] = momentSchema("when it happened, by the sender's clock")
	schemas["AppointmentInput"].Properties["start"] = momentSchema("when the meeting begins")
	schemas["AppointmentInput"].Properties["answer"].Enum = []any{"yes", "no", "maybe"}
	schemas["BounceDetail"].Properties["kind"].Enum = []any{"hard", "soft", "rejected"}
	for name, text := range map[string]string{
		"id":         "the sender's own key: the same id and time again is the same event",
		"message":    "the sender's id of the mail that this is about",
		"aliases":    "other names of the message, such as the Message-ID that it was sent with: at most 8, of 998 bytes",
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
	schemas["Person"].Properties["written"].Description = "the address as it came, where that differs; set by the server"
	in["message"].MinLength = new(1)
	in["id"].MaxLength = new(event.MaxKey)
	in["recipients"].MaxItems = new(event.MaxRecipients)
	in["aliases"].MaxItems = new(event.MaxAliases)
	optionalOrNull(schemas["EventInput"])
	optionalOrNull(schemas["AppointmentInput"])
	optionalOrNull(schemas["Client"])
}

// completeRequests tells what the handlers check of other bodies.
func completeRequests(schemas map[string]*huma.Schema) {
	schemas["SignIn"].OneOf = []*huma.Schema{{Required: []string{"key"}}, {Required: []string{"token"}}}
	schemas["SignIn"].Properties["key"].MinLength = new(1)
	schemas["SignIn"].Properties["token"].MinLength = new(1)
	schemas["SettingsRequest"].MinProperties = new(1)
	schemas["TeamRequest"].Properties["members"].Items.MinLength = new(1)
	orNull(schemas["VerdictRequest"], "is")
	for _, name := range []string{"KeyRequest", "MemberRequest", "SettingsRequest"} {
		optionalOrNull(schemas[name])
	}
}

// completeIDs tells what an event's id in a path looks like.
func completeIDs(paths map[string]*huma.PathItem) {
	for path, item := range paths {
		if !strings.HasPrefix(path, "/v1/events/{") && !strings.HasPrefix(path, "/v1/dead-letters/{") {
			continue
		}
		for _, operation := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
			if operation != nil {
				operation.Parameters[0].Schema.Pattern = "^[0-9a-v]{25}[048cgkos]$"
			}
		}
	}
}

func momentSchema(description string) *huma.Schema {
	return &huma.Schema{Description: description, OneOf: []*huma.Schema{
		{Type: huma.TypeString, Format: "date-time", Description: "RFC 3339; a fraction of a second is dropped"},
		{Type: huma.TypeInteger, Format: "int64", Description: "Unix seconds"},
	}}
}

// orNull makes a property nullable, also one that refers to another schema.
func orNull(schema *huma.Schema, name string) {
	given := schema.Properties[name]
	if given.Ref == "" && len(given.OneOf) == 0 {
		given.Nullable = true
		if given.Enum != nil {
			given.Enum = append(given.Enum, nil)
		}
		return
	}
	null := &huma.Schema{Type: "null"}
	if given.Ref == "" {
		given.OneOf = append(given.OneOf, null)
		return
	}
	schema.Properties[name] = &huma.Schema{
		Description: given.Description, OneOf: []*huma.Schema{{Ref: given.Ref}, null},
	}
}

// optionalOrNull tells that null is as good as absent, for many write it so.
func optionalOrNull(schema *huma.Schema) {
	for name := range schema.Properties {
		if !slices.Contains(schema.Required, name) {
			orNull(schema, name)
		}
	}
}
