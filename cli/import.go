package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"tidings/apiclient"
	"tidings/event"
	"tidings/mailbox"
)

// importCmd brings in files.
type importCmd struct {
	target
	Workspace string   `help:"Whose feed it goes into, with --data." placeholder:"NAME"`
	As        string   `help:"What the files are: mbox, maildir, eml, jsonl-mail or ndjson (events as the API takes them). Guessed when not given." placeholder:"FORMAT"`
	User      string   `help:"Whose mail it is: an address, or the id of a user who has some." placeholder:"USER"`
	Own       []string `help:"An address or a domain of yours, beside those of the workspace's users; '*' for an archive in which every author is. May be repeated." placeholder:"ADDRESS" sep:","`
	Restart   bool     `help:"Begin again, also where an earlier import was interrupted."`
	JSON      bool     `help:"Print the summary as JSON." name:"json"`
	Files     []string `arg:"" help:"Files or directories, also compressed or in a zip; - is standard input." type:"path" name:"file"`
}

// Help teaches by examples.
func (importCmd) Help() string {
	return `A mail of yours becomes a send to its recipients. Mail that came in becomes a reply, a
bounce, a read receipt, an answer to an invitation, or nothing. Yours is what lies in a
folder of sent mail or has Gmail's label, and what a user of the workspace, --user or an
--own address wrote. Importing the same file again changes nothing. An interrupted
import goes on where it stopped when it is run again.

  tidings import --data DIR --workspace acme --user ana@acme.example Inbox.mbox Sent.mbox
  tidings import --data DIR --workspace acme --own acme.example Maildir/ takeout.zip
  tidings import --server http://127.0.0.1:8080 --key KEY --as ndjson events.ndjson
  zcat old.mbox.gz | tidings import --data DIR --workspace acme --user ana@acme.example -`
}

// Bounds of one request of an import, well below the server's.
const (
	importEvents = 500
	importBytes  = 1 << 20
)

// Run imports the files one after the other and prints a summary.
func (c *importCmd) Run(ctx context.Context, env *environment) error {
	var format mailbox.Format
	if c.As != "" {
		var err error
		if format, err = mailbox.ParseFormat(c.As); err != nil {
			return &usageError{"--as " + strings.TrimPrefix(err.Error(), "format: ")}
		}
	}
	client, err := c.open(ctx, env, c.Workspace, feeds)
	if err != nil {
		return err
	}
	summary := newImportSummary()
	owner, err := c.owner(ctx, env, client)
	if err != nil {
		return errors.Join(err, client.Close())
	}
	importErr := c.importAll(ctx, env, client, format, owner, summary)
	if importErr == nil {
		fmt.Fprintln(env.Err, "Waiting until everything is indexed …")
	}
	closeErr := client.Close()
	if err := summary.print(env.Out, c.JSON); err != nil {
		return err
	}
	switch {
	case ctx.Err() == nil:
	case importErr != nil:
		return errors.New("interrupted: run the same command again to go on from here")
	case closeErr != nil:
		return errors.New("interrupted: all of it is kept, and what is not indexed yet will be when tidings next runs on this directory")
	}
	if err := errors.Join(importErr, closeErr); err != nil {
		return err
	}
	switch {
	case !summary.nothing():
		return nil
	case len(owner.Users) == 0 && !owner.Everybody && summary.Without[mailbox.Received]+summary.Without[mailbox.List] > 0:
		return errNobody
	}
	return errors.New("nothing was taken")
}

func (c *importCmd) importAll(
	ctx context.Context, env *environment, client *apiclient.Client, format mailbox.Format, owner mailbox.Owner, summary *importSummary,
) error {
	memory := mailbox.NewMemory()
	for _, path := range c.Files {
		spooled, remove, err := spool(path, env.In)
		if err != nil {
			return err
		}
		defer remove()
		options := mailbox.Options{Format: format, Owner: owner, Memory: memory, User: c.User, Decode: decodeEvent}
		reader, err := mailbox.Open(spooled, options)
		if err != nil {
			return spoken(err, spooled, path)
		}
		one := &fileImport{
			path: path, spooled: spooled, reader: reader, client: client, summary: summary, own: c.Server == "",
			checkpoint: openCheckpoint(c.target, c.Workspace, path),
			bar:        newProgress(env.Err, path, reader.Progress()),
		}
		err = one.run(ctx, c.Restart)
		one.bar.finish()
		summary.ignore(reader.Ignored())
		if err := errors.Join(err, reader.Close()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		summary.Files++
	}
	return nil
}

// fileImport is the import of one file or directory.
type fileImport struct {
	path    string
	spooled string
	reader  *mailbox.Reader
	client  *apiclient.Client
	summary *importSummary
	// own says that the server is of this process.
	own        bool
	checkpoint *checkpoint
	bar        *progress

	body   bytes.Buffer
	events []event.Input
	// at says where each of the events was found.
	at []string
}

// whereOf names the file and the line, or the record, of an event.
func (f *fileImport) whereOf(r mailbox.Record) string {
	if f.spooled != f.path && r.Path == f.spooled {
		r.Path = standardInput
	}
	if r.Line > 0 {
		return fmt.Sprintf("%s: line %d", r.Path, r.Line)
	}
	return fmt.Sprintf("%s: record %d", r.Path, r.Number)
}

// run reads records and sends them in batches. What a batch held is durable
// before the position behind it is noted.
func (f *fileImport) run(ctx context.Context, restart bool) error {
	if err := f.resume(restart); err != nil {
		return err
	}
	for {
		record, err := f.reader.Read()
		var refusal *mailbox.Refusal
		switch {
		case errors.Is(err, io.EOF):
			if err := f.flush(ctx); err != nil {
				return err
			}
			return f.checkpoint.finish()
		case errors.As(err, &refusal):
			if f.spooled != f.path && refusal.Path == f.spooled {
				refusal.Path = standardInput
			}
			f.summary.refuse(refusal)
			continue
		case err != nil:
			return errors.Join(err, f.flush(ctx))
		}
		f.summary.note(record)
		for _, input := range record.Events {
			if err := f.add(input); err != nil {
				return err
			}
			f.at = append(f.at, f.whereOf(record))
		}
		if len(f.events) >= importEvents || f.body.Len() >= importBytes {
			if err := f.flush(ctx); err != nil {
				return err
			}
		}
		f.bar.set(f.reader.Progress())
	}
}

// resume goes to where an earlier, interrupted import of the same file stopped.
func (f *fileImport) resume(restart bool) error {
	at, ok := f.checkpoint.load()
	if restart || !ok {
		return nil
	}
	err := f.reader.Resume(at)
	if errors.Is(err, event.ErrConflict) {
		return fmt.Errorf("an earlier import of it was interrupted, and it has changed since: give --restart to begin again (%w)", err)
	}
	if err == nil {
		f.summary.Resumed += at.Records
	}
	return err
}

func (f *fileImport) add(input event.Input) error {
	line, err := json.Marshal(input)
	if err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	f.body.Write(line)
	f.body.WriteByte('\n')
	f.events = append(f.events, input)
	return nil
}

// intakeAnswer is what POST /v1/events says.
type intakeAnswer struct {
	Accepted int `json:"accepted"`
	Known    int `json:"known"`
	Rejected []struct {
		Index  int    `json:"index"`
		Detail string `json:"detail"`
	} `json:"rejected"`
}

// flush sends what has been collected and waits for a server that is busy.
func (f *fileImport) flush(ctx context.Context) error {
	if len(f.events) > 0 {
		answer, err := f.post(ctx)
		if err != nil {
			return err
		}
		f.summary.add(f.at, f.events, answer)
		f.events, f.at = f.events[:0], f.at[:0]
		f.body.Reset()
	}
	return f.checkpoint.save(f.reader.Position())
}

const (
	// patience is for how long a busy or unavailable server is asked again.
	patience = 10 * time.Minute
	// ownPause is how long a server of this process is left alone when it is busy: asking
	// it costs nothing, and it has room again in less than the second that others wait.
	ownPause = 100 * time.Millisecond
)

func (f *fileImport) post(ctx context.Context) (intakeAnswer, error) {
	for began := time.Now(); ; {
		var answer intakeAnswer
		err := f.client.Send(ctx, http.MethodPost, "/v1/events?lane=bulk&skip_known=true", "application/x-ndjson", bytes.NewReader(f.body.Bytes()), &answer)
		var problem *apiclient.Error
		if errors.As(err, &problem) && problem.Status == http.StatusBadRequest && len(problem.Errors) > 0 {
			// None of the batch was good: that is an answer too.
			return allRejected(problem, len(f.events)), nil
		}
		busy := errors.Is(err, event.ErrTooMuch) || errors.Is(err, event.ErrUnavailable)
		if !busy || time.Since(began) > patience {
			return answer, err
		}
		wait := ownPause
		if !f.own {
			wait = time.Second
			if problem != nil {
				wait = max(wait, problem.RetryAfter)
			}
		}
		f.bar.say("the server is busy")
		select {
		case <-ctx.Done():
			return answer, ctx.Err()
		case <-time.After(wait):
		}
	}
}

func allRejected(problem *apiclient.Error, events int) intakeAnswer {
	var answer intakeAnswer
	for i := range events {
		detail := problem.Detail
		if i < len(problem.Errors) {
			detail = problem.Errors[i].Message
		}
		answer.Rejected = append(answer.Rejected, struct {
			Index  int    `json:"index"`
			Detail string `json:"detail"`
		}{i, detail})
	}
	return answer
}

// decodeEvent reads one line of NDJSON; the server checks what it says.
func decodeEvent(line []byte) (event.Input, error) {
	var input event.Input
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&input); err != nil {
		return input, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return input, errors.New("the line goes on behind the event")
	}
	return input, nil
}
