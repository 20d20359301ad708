package api

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"tidings/event"
	"tidings/feed"
)

const typeCSV = "text/csv"

// exportPatience is how long a client may take for one batch of an export.
const exportPatience = 30 * time.Second

// partialHeader says in words what an export lacks because weeks cannot be read. It is
// a trailer where some of the export was written before.
const partialHeader = "Tidings-Partial"

// export streams an export.
func (s *Server) export(ctx context.Context, stream huma.Context, request feed.ExportRequest, format string) {
	rows := newExportRows(humagin.Unwrap(stream).Writer, format)
	s.stream(ctx, stream, rows, "events."+format, func(ctx context.Context, batch func(write func() error) error) error {
		return s.Reports.Export(ctx, request, func(items []feed.Item) error {
			if len(items) == 0 {
				return batch(nil)
			}
			return batch(func() error {
				for i := range items {
					if err := rows.write(&items[i]); err != nil {
						return err
					}
				}
				return nil
			})
		})
	})
}

// stream writes what give gives, a batch at a time, into a file of rows. Until the
// first is there a failure is a problem as everywhere; after that the connection is
// broken off, so that nobody takes a part for the whole.
//
// It ends with ctx, also while the client takes nothing. Each batch is made in a turn of its
// own among the reads; one of nil was nothing.
func (s *Server) stream(
	ctx context.Context, stream huma.Context, rows exportRows, file string, give func(ctx context.Context, batch func(write func() error) error) error,
) {
	writer := humagin.Unwrap(stream).Writer
	control := http.NewResponseController(writer)
	begun := false
	begin := func() error {
		if begun {
			return nil
		}
		begun = true
		writer.Header().Set("Content-Type", rows.mediaType())
		writer.Header().Set("Content-Disposition", `attachment; filename="`+file+`"`)
		writer.WriteHeader(http.StatusOK)
		return rows.begin()
	}
	defer interrupted(ctx, control)()
	caller, _ := CallerFrom(ctx)
	turn := &turns{reads: s.limits.reads, workspace: caller.Workspace}
	defer turn.end()
	written := func(write func() error) error {
		if err := control.SetWriteDeadline(time.Now().Add(exportPatience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		if ctx.Err() != nil { // after the deadline, which would undo that of interrupted
			return context.Cause(ctx)
		}
		if err := begin(); err != nil {
			return err
		}
		if err := write(); err != nil {
			return err
		}
		if err := rows.flush(); err != nil {
			return err
		}
		return control.Flush()
	}
	err := turn.take(ctx)
	if err == nil {
		err = give(ctx, func(write func() error) error {
			turn.end()
			if write != nil {
				if err := written(write); err != nil {
					return err
				}
			}
			return turn.take(ctx)
		})
		turn.end()
	}
	damaged, err := event.SplitDamaged(err)
	if len(damaged) > 0 {
		// In front where nothing was written yet, and behind everything otherwise.
		name := partialHeader
		if begun {
			name = http.TrailerPrefix + partialHeader
		}
		writer.Header().Set(name, strings.Join(feed.Warnings(damaged), " "))
	}
	if err == nil {
		err = errors.Join(begin(), rows.flush())
	}
	// The connection may be used again. Where there are no deadlines none is left.
	_ = control.SetWriteDeadline(time.Time{})
	switch {
	case err == nil:
	case !begun:
		writeProblem(stream, s.problemFor(ctx, err))
	default:
		if ctx.Err() == nil && !errors.Is(err, context.Canceled) {
			s.Logger.WarnContext(ctx, "export broken off", "reference", requestID(ctx), "error", err)
		}
		panic(http.ErrAbortHandler)
	}
}

func newExportRows(to io.Writer, format string) exportRows {
	if format == "ndjson" {
		return ndjsonRows{bufio.NewWriter(to)}
	}
	w := csv.NewWriter(to)
	w.UseCRLF = true // as RFC 4180 has it
	return csvRows{w}
}

type ndjsonRows struct{ to *bufio.Writer }

func (n ndjsonRows) mediaType() string { return typeNDJSON }
func (n ndjsonRows) begin() error      { return nil }
func (n ndjsonRows) flush() error      { return n.to.Flush() }

func (n ndjsonRows) write(item *feed.Item) error { return n.line(item) }

// line writes any value as a line.
func (n ndjsonRows) line(value any) error {
	if err := writeJSON(n.to, value); err != nil {
		return err
	}
	return n.to.WriteByte('\n')
}

type csvRows struct{ to *csv.Writer }

// csvHeader names the columns, which only ever grow at the end.
var csvHeader = []string{
	"time", "type", "id", "message", "subject", "user", "user_name", "email", "name", "recipients", "unopened",
	"link", "file", "kind", "title", "meeting", "answer", "bounce", "bounce_detail", "text", "verdict", "rule", "source",
}

func (c csvRows) mediaType() string { return typeCSV + "; charset=utf-8; header=present" }
func (c csvRows) begin() error      { return c.to.Write(csvHeader) }

func (c csvRows) flush() error {
	c.to.Flush()
	return c.to.Error()
}

func (c csvRows) write(item *feed.Item) error {
	row := csvRow(item)
	for i := range row {
		row[i] = harmless(row[i])
	}
	return c.to.Write(row)
}

// csvRow is an item in the order of csvHeader.
func csvRow(item *feed.Item) []string {
	var user, userName, email, name, unopened, meeting, answer, bounce, detail, verdict, rule string
	if item.User != nil {
		user, userName = item.User.ID, item.User.Name
	}
	if item.Person != nil {
		email, name = item.Person.Email, item.Person.Name
	}
	recipients := make([]string, len(item.Recipients))
	for i, recipient := range item.Recipients {
		recipients[i] = recipient.Email
	}
	if item.Unopened != nil {
		unopened = strconv.Itoa(*item.Unopened)
	}
	if item.Meeting != nil {
		meeting, answer = item.Meeting.Title, item.Meeting.Answer
	}
	if item.Bounce != nil {
		bounce, detail = item.Bounce.Kind, item.Bounce.Detail
	}
	if item.Verdict != nil {
		verdict, rule = item.Verdict.Is, item.Verdict.Rule
	}
	return []string{
		item.Time.Format(time.RFC3339), string(item.Type), item.ID.String(), item.Message, item.Subject, user, userName,
		email, name, strings.Join(recipients, " "), unopened, item.Link, item.File, item.Kind, item.Title,
		meeting, answer, bounce, detail, item.Snippet, verdict, rule, item.Source,
	}
}

// harmless puts an apostrophe before what a spreadsheet would take for a
// formula: the characters that OWASP's page on CSV injection names, and their
// full-width forms.
func harmless(field string) string {
	if field == "" || !strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(field)[0]) {
		return field
	}
	return "'" + field
}
