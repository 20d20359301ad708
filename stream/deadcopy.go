package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// SaveDead writes the dead letters of all workspaces, one JSON value a line, and
// returns how many. Those that are made meanwhile are in it or not.
func (s *Stream) SaveDead(ctx context.Context, w io.Writer) (int, error) {
	dead, err := s.js.Stream(ctx, deadName)
	if err != nil {
		return 0, unavailable("save dead letters", err)
	}
	saved := 0
	for next := uint64(1); ; {
		message, err := dead.GetMsg(ctx, next, jetstream.WithGetMsgSubject(deadPrefix+">"))
		if missing(err) {
			return saved, nil
		}
		if err != nil {
			return saved, unavailable("save dead letters", err)
		}
		if _, err := w.Write(append(message.Data, '\n')); err != nil {
			return saved, fmt.Errorf("save dead letters: %w", err)
		}
		saved++
		next = message.Sequence + 1
	}
}

// LoadDead makes dead letters of what SaveDead wrote and returns how many. Each is
// durable when this returns; one that is there already is replaced, so that loading
// may be repeated.
func (s *Stream) LoadDead(ctx context.Context, r io.Reader) (int, error) {
	decoder := json.NewDecoder(r)
	for loaded := 0; ; loaded++ {
		var line json.RawMessage
		err := decoder.Decode(&line)
		if errors.Is(err, io.EOF) {
			return loaded, nil
		}
		var letter deadLetter
		if err == nil {
			err = json.Unmarshal(line, &letter)
		}
		if err == nil && (letter.ID == "" || letter.Workspace == "") {
			err = errors.New("it names no event")
		}
		if err != nil {
			return loaded, fmt.Errorf("load dead letter %d: %w", loaded+1, err)
		}
		if _, err := s.js.PublishMsg(ctx, &nats.Msg{Subject: deadSubject(letter.Workspace, letter.ID), Data: line}); err != nil {
			return loaded, unavailable("load dead letters", err)
		}
	}
}
