package stream

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tidings/event"
	"tidings/live"
	"tidings/tracing"
)

const (
	// followRetry is how long Follow waits before it asks again for a stream
	// that is away.
	followRetry = 500 * time.Millisecond
	// followIdle is after how long without an announcement Follow looks whether
	// the stream is still the one it follows.
	followIdle = 3 * time.Second
	// followHeartbeat is how often the server says that it still has our
	// consumer. Two that are missing must fit into followIdle: the client looks
	// for them only while it waits, and begins anew with each wait.
	followHeartbeat = time.Second
	// announcedTogether is how many announcements are one message at most, and
	// announcedBytes after how many bytes it is full.
	announcedTogether = 64
	announcedBytes    = 128 << 10
	// announcedRoom is what several take in most cases.
	announcedRoom = 64 << 10
)

// Announce returns once the announcements are on disk, those of a workspace in their order.
// What is for single people of a workspace, one behind the other, goes as one message: each
// message costs the server more than what it holds. In our own server the rest does too, of
// as many as are packed when they are published; see ADR 0045.
func (s *Stream) Announce(ctx context.Context, announcements []event.Announcement) error {
	together := s.server != nil && len(announcements) >= packFrom
	if together {
		announcements = slices.Clone(announcements)
		slices.SortStableFunc(announcements, func(a, b event.Announcement) int { return cmp.Compare(a.Workspace, b.Workspace) })
	}
	var messages []*nats.Msg
	for rest := announcements; len(rest) > 0; {
		message, count, err := packAnnouncements(rest, together)
		if err != nil {
			return fmt.Errorf("announce: %w", err)
		}
		messages, rest = append(messages, message), rest[count:]
	}
	if len(messages) == 0 {
		return nil
	}
	if err := s.announced.publish(ctx, messages); err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	s.counts.announced.Add(uint64(len(announcements)))
	return nil
}

// packAnnouncements makes a message of the first announcements, and says of how many. Where
// not all go together, those for single people do.
func packAnnouncements(all []event.Announcement, together bool) (message *nats.Msg, count int, err error) {
	packs := func(a *event.Announcement) bool {
		return a.Workspace == all[0].Workspace && (together || a.To != "")
	}
	message = &nats.Msg{Subject: liveSubject(all[0].Workspace), Header: nats.Header{}}
	if len(all) == 1 || !packs(&all[0]) || !packs(&all[1]) {
		if parent := all[0].Trace; parent != "" {
			message.Header[tracing.Header] = []string{parent}
		}
		message.Data, err = all[0].AppendJSON(nil)
		return message, 1, err
	}
	several := event.Announcement{Kind: event.AnnounceSeveral, Workspace: all[0].Workspace}
	if message.Data, err = several.AppendJSON(make([]byte, 0, announcedRoom)); err != nil {
		return nil, 0, err
	}
	for count < min(len(all), announcedTogether) && len(message.Data) < announcedBytes && packs(&all[count]) {
		if message.Data, err = appendSaid(append(message.Data, '\n'), &all[count]); err != nil {
			return nil, 0, err
		}
		count++
	}
	return message, count, nil
}

// said is an announcement among several, as it is written, one a line.
type said struct {
	event.Announcement
	Parent string `json:"trace,omitempty"`
}

// appendSaid appends a said.
func appendSaid(out []byte, a *event.Announcement) ([]byte, error) {
	out, err := a.AppendJSON(out)
	if err != nil || a.Trace == "" {
		return out, err
	}
	trace, err := json.Marshal(a.Trace)
	if err != nil {
		return nil, err
	}
	out = append(append(out[:len(out)-1], `,"trace":`...), trace...)
	return append(out, '}'), nil
}

// Bounds says which LIVE this is and what it keeps.
func (s *Stream) Bounds(ctx context.Context) (live.Bounds, error) {
	announcements, err := s.stream(ctx, liveName)
	if err != nil {
		return live.Bounds{}, unavailable("live bounds", err)
	}
	return boundsOf(announcements), nil
}

func boundsOf(announcements jetstream.Stream) live.Bounds {
	info := announcements.CachedInfo()
	bounds := live.Bounds{
		Incarnation: info.Config.Metadata[incarnationKey],
		First:       info.State.FirstSeq,
		Last:        info.State.LastSeq,
	}
	if info.State.Msgs == 0 {
		bounds.First = bounds.Last + 1
	}
	return bounds
}

// Follow calls each for the newest LiveStart announcements that LIVE keeps and for
// all that come, until ctx ends; it returns ctx's error. Where it was away for so long
// that announcements are gone, and where the stream was made anew, it goes on
// with the oldest that is kept: sequences show the first, Bounds the second.
func (s *Stream) Follow(ctx context.Context, each func(live.Entry)) error {
	return s.FollowFrom(ctx, live.Checkpoint{}, each)
}

// FollowFrom is Follow from a checkpoint on. That of another LIVE is none.
func (s *Stream) FollowFrom(ctx context.Context, checkpoint live.Checkpoint, each func(live.Entry)) error {
	f := follower{stream: s, each: each, incarnation: checkpoint.Incarnation, next: checkpoint.Next}
	quiet := false
	for {
		before := f.next
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if f.next != before {
			quiet = false
		}
		if !quiet {
			s.cfg.Logger.WarnContext(ctx, "following announcements was interrupted", "error", err)
			quiet = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(followRetry):
		}
	}
}

// follower remembers how far Follow has come, over interruptions.
type follower struct {
	stream      *Stream
	each        func(live.Entry)
	incarnation string
	next        uint64
}

// follow goes on from next until ctx ends or the stream is away.
func (f *follower) follow(ctx context.Context) error {
	announcements, err := f.stream.stream(ctx, liveName)
	if err != nil {
		return unavailable("follow", err)
	}
	if now := boundsOf(announcements).Incarnation; now != f.incarnation {
		f.incarnation, f.next = now, 0
	}
	cfg := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy}
	if bounds := boundsOf(announcements); f.next == 0 && bounds.Last >= uint64(f.stream.cfg.LiveStart) {
		f.next = max(bounds.First, bounds.Last-uint64(f.stream.cfg.LiveStart)+1)
	}
	if f.next > 0 {
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, f.next
	}
	consumer, err := announcements.OrderedConsumer(ctx, cfg)
	if err != nil {
		return unavailable("follow", err)
	}
	messages, err := consumer.Messages(jetstream.PullHeartbeat(followHeartbeat))
	if err != nil {
		return unavailable("follow", err)
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	for {
		message, err := messages.Next(jetstream.NextMaxWait(followIdle))
		switch {
		case err == nil:
			f.take(ctx, message)
		case !errors.Is(err, nats.ErrTimeout):
			return unavailable("follow", err)
		case f.stream.figures.incarnation.Load() != f.incarnation:
			return fmt.Errorf("follow: the stream was made anew: %w", event.ErrUnavailable)
		}
	}
}

func (f *follower) take(ctx context.Context, message jetstream.Msg) {
	about, err := message.Metadata()
	if err != nil || about.Sequence.Stream < f.next {
		return
	}
	f.next = about.Sequence.Stream + 1
	workspace, err := fromToken(strings.TrimPrefix(message.Subject(), livePrefix))
	if err != nil {
		f.stream.cfg.Logger.WarnContext(ctx, "an announcement has no workspace", "sequence", about.Sequence.Stream)
		return
	}
	data, trace := message.Data(), message.Headers()[tracing.Header]
	f.each(live.Entry{
		Sequence: about.Sequence.Stream, At: about.Timestamp, Workspace: workspace, Size: len(data),
		Read: func() (event.Announcement, error) { return readAnnouncement(data, trace) },
	})
}

// readSaid reads a said.
func readSaid(line []byte) (event.Announcement, error) {
	if !bytes.Contains(line, []byte(`,"trace":`)) {
		var a event.Announcement
		err := a.DecodeJSON(line)
		return a, err
	}
	var one said
	err := jsonv2.Unmarshal(line, &one)
	one.Trace = one.Parent
	return one.Announcement, err
}

func readAnnouncement(data []byte, trace []string) (event.Announcement, error) {
	var a event.Announcement
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	if err := a.DecodeJSON(first); err != nil {
		return a, fmt.Errorf("read an announcement: %w", err)
	}
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		one, err := readSaid(line)
		if err != nil {
			return a, fmt.Errorf("read one of several announcements: %w", err)
		}
		a.Each = append(a.Each, one)
	}
	if len(trace) > 0 {
		a.Trace = trace[0]
	}
	return a, nil
}
