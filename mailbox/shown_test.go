package mailbox

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tidings/event"
)

// shown is what a record means in one line: its kind; what became of it, about
// whom, on which message, when; or why nothing did.
func shown(r Record) string {
	var b strings.Builder
	b.WriteString(string(r.Kind))
	for i, in := range r.Events {
		if i > 0 {
			b.WriteString(" +")
		}
		b.WriteString(" " + string(in.Type))
		for _, word := range []string{in.Kind, bounceKind(in), answerOf(in)} {
			if word != "" {
				b.WriteString(" " + word)
			}
		}
		people := in.Recipients
		if in.Recipient != nil {
			people = []event.Person{*in.Recipient}
		}
		for _, p := range people {
			b.WriteString(" " + p.Email)
		}
		b.WriteString(" on " + in.Message + " at " + time.Unix(int64(*in.Time), 0).UTC().Format(time.RFC3339))
	}
	if len(r.Events) == 0 && r.Why != "" {
		b.WriteString(" (" + r.Why + ")")
	}
	return b.String()
}

// shownWithoutTime is shown for mail of a time that is known.
func shownWithoutTime(r Record) string { return strings.ReplaceAll(shown(r), " at "+written, "") }

func bounceKind(in event.Input) string {
	if in.Bounce == nil {
		return ""
	}
	return in.Bounce.Kind
}

func answerOf(in event.Input) string {
	if in.Meeting == nil {
		return ""
	}
	if in.Meeting.Start == nil {
		return in.Meeting.Answer
	}
	return in.Meeting.Answer + " from " + time.Unix(int64(*in.Meeting.Start), 0).UTC().Format(time.RFC3339)
}

// saidBy is the subject and the beginning of the body of a record.
func saidBy(r Record) string {
	if len(r.Events) == 0 {
		return ""
	}
	in := r.Events[0]
	return fmt.Sprintf(" %q %q", in.Subject, cut(in.Body, 200))
}

// linesOf shows each record of a path.
func linesOf(t *testing.T, path string, options Options) []string {
	t.Helper()
	r, err := Open(path, options)
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	var all []string
	for {
		record, err := r.Read()
		var refused *Refusal
		switch {
		case errors.Is(err, io.EOF):
			return all
		case errors.As(err, &refused):
			all = append(all, "refused: "+refused.Code.String()+": "+refused.Detail)
		default:
			require.NoError(t, err)
			all = append(all, shown(record)+saidBy(record))
		}
	}
}
