package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	// announcedTogether is how many announcements for single people are one message at
	// most, and announcedBytes after how many bytes it is full.
	announcedTogether = 64
	announcedBytes    = 128 << 10
)

// Announce returns once the announcements are on disk, in their order. What is for single
// people of a workspace, one behind the other, goes as one message: each message costs the
// server more than what it holds.
func (s *Stream) Announce(ctx context.Context, announcements []event.Announcement) error {
	var messages []*nats.Msg
	for rest := announcements; len(rest) > 0; {
		message, count, err := packAnnouncements(rest)
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

// packAnnouncements makes a message of the first announcements, and says of how many.
func packAnnouncements(all []event.Announcement) (message *nats.Msg, count int, err error) {
	message = &nats.Msg{Subject: liveSubject(all[0].Workspace), Header: nats.Header{}}
	if all[0].To == "" || len(all) == 1 || all[1].To == "" || all[1].Workspace != all[0].Workspace {
		if parent := all[0].Trace; parent != "" {
			message.Header[tracing.Header] = []string{parent}
		}
		message.Data, err = all[0].AppendJSON(nil)
		return message, 1, err
	}
	lines := [][]byte{nil}
	for size := 0; count < min(len(all), announcedTogether) && size < announcedBytes; count++ {
		if all[count].To == "" || all[count].Workspace != all[0].Workspace {
			break
		}
		line, err := json.Marshal(said{all[count], all[count].Trace})
		if err != nil {
			return nil, 0, err
		}
		lines, size = append(lines, line), size+len(line)
	}
	lines[0], err = json.Marshal(event.Announcement{Kind: event.AnnounceSeveral, Workspace: all[0].Workspace})
	message.Data = bytes.Join(lines, []byte("\n"))
	return message, count, err
}

// said is an announcement among several, as it is written, one a line.
type said struct {
	event.Announcement
	Parent string `json:"trace,omitempty"`
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
	return s.FollowFrom(ctx, live.Place{}, each)
}

// FollowFrom is Follow from a place on. That of another LIVE is none.
func (s *Stream) FollowFrom(ctx context.Context, place live.Place, each func(live.Entry)) error {
	f := follower{stream: s, each: each, incarnation: place.Incarnation, next: place.Next}
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

func readAnnouncement(data []byte, trace []string) (event.Announcement, error) {
	var a event.Announcement
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	if err := jsonv2.Unmarshal(first, &a); err != nil {
		return a, fmt.Errorf("read an announcement: %w", err)
	}
	for line := range bytes.Lines(rest) {
		var one said
		if err := jsonv2.Unmarshal(line, &one); err != nil {
			return a, fmt.Errorf("read one of several announcements: %w", err)
		}
		one.Trace = one.Parent
		a.Each = append(a.Each, one.Announcement)
	}
	if len(trace) > 0 {
		a.Trace = trace[0]
	}
	return a, nil
}
