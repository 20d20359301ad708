package sqlite

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"

	"tidings/event"
	"tidings/store/sqlite/frames"
)

// Forms of a stored document, its first byte. A week's file knows formWeek, too.
const (
	formPlain = 0
	formZstd  = 1
)

// commonText is the dictionary that documents are compressed against: what
// most of them have. It belongs to formZstd and never changes.
const commonText = `{"id":"00000000000000000000000000","w":"","type":"unsubscribe","t":0,"message":"` +
	`"type":"custom","t":0,"message":"","kind":"","title":"` +
	`"type":"meeting","t":0,"message":"","meeting":{"title":"","start":,"answer":"maybe"},` +
	`"type":"bounce","t":0,"message":"","bounce":{"kind":"soft","detail":"550 5.1.1 mailbox unavailable"},"kind":"hard",` +
	`"type":"reply","t":0,"message":"","type":"download","t":0,"message":"","file":".pdf","type":"complaint","t":0,` +
	`"client":{"ip":"","user_agent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/ Safari/537.36",` +
	`"user_agent":"Mozilla/5.0 (iPhone; CPU iPhone OS like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",` +
	`"user_agent":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",` +
	`"user_agent":"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)","automated":true},` +
	`,"source":"sendgrid","source":"mailgun","source":"postmark","source":"ses",` +
	`"verdict":{"is":"unknown","rule":"","by":"provider","v":1}}"verdict":{"is":"machine","rule":"","by":"rule","v":1}}` +
	`"verdict":{"is":"human","rule":"","by":"person","v":1}}` +
	`"subject":"Re: Your proposal for the meeting next week","body":"Hi ,\n\nThank you for your . Please let me know if you have any questions.\n\nBest regards,\n` +
	`"link":"https://www..com/","link":"https://docs.` +
	`{"id":"00000000000000000000000000","w":"","type":"delivery","t":0,"message":"","user":"","recipient":{"email":"@example.com","name":""},"subject":"","source":"api"}` +
	`{"id":"00000000000000000000000000","w":"","type":"click","t":0,"message":"","user":"","recipient":{"email":"","name":""},"subject":"","link":"https://` +
	`{"id":"00000000000000000000000000","w":"","type":"open","t":0,"message":"","user":"","recipient":{"email":"","name":""},"subject":"` +
	`{"id":"00000000000000000000000000","w":"","type":"send","t":0,"message":"","user":"","recipients":[{"email":"@.com","name":""},{"email":"","name":""}],"subject":"","body":"`

// window is how far back an encoder looks, and what it keeps for that in memory.
const window = 128 << 10

// documents packs and unpacks stored events. It is safe for concurrent use.
type documents struct {
	// small packs nearly all of them, and encoder those that are too large for it.
	small   *frames.Encoder
	encoder *zstd.Encoder
	decoder *zstd.Decoder
	// rooms are what packing one takes, to be filled again.
	rooms sync.Pool
}

// room is what packing a document takes.
type room struct{ raw, packed []byte }

func newDocuments() (*documents, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(window), zstd.WithEncoderDictRaw(formZstd, []byte(commonText)))
	if err != nil {
		return nil, err
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(64<<20),
		zstd.WithDecoderDictRaw(formZstd, []byte(commonText)))
	if err != nil {
		return nil, err
	}
	return &documents{
		small: frames.New(formZstd, []byte(commonText)), encoder: encoder, decoder: decoder,
		rooms: sync.Pool{New: func() any { return &room{raw: make([]byte, 0, jsonRoom)} }},
	}, nil
}

func (d *documents) close() {
	d.decoder.Close()
}

// errDocument is a document that pack did not write.
var errDocument = errors.New("a document is damaged")

// jsonRoom is what an event takes in most cases, without its body.
const jsonRoom = 1 << 10

// pack writes an event's JSON without what its row has: id, workspace and time.
func (d *documents) pack(e event.Event) ([]byte, error) {
	e.ID, e.Workspace, e.Time = event.ID{}, "", 0
	r := d.rooms.Get().(*room)
	raw := e.AppendJSON(r.raw[:0])
	packed, ok := d.small.Append(append(r.packed[:0], formZstd), raw)
	if !ok && len(raw) > frames.MostBytes {
		packed = d.encoder.EncodeAll(raw, packed)
	}
	if len(packed) > len(raw) || len(packed) == 1 {
		packed = append(append(packed[:0], formPlain), raw...)
	}
	made := slices.Clone(packed)
	if len(raw) <= frames.MostBytes {
		r.raw, r.packed = raw, packed
		d.rooms.Put(r)
	}
	return made, nil
}

// unpack reads an event from its document and its row.
func (d *documents) unpack(id event.ID, workspace string, packed []byte) (event.Event, error) {
	raw, err := d.raw(row{id: id, doc: packed})
	if err != nil {
		return event.Event{}, err
	}
	var e event.Event
	if err := e.DecodeJSON(raw); err != nil {
		return event.Event{}, fmt.Errorf("event %s: %w: %w", id, errDocument, err)
	}
	e.ID, e.Workspace, e.Time = id, workspace, id.Seconds()
	yieldAfter(raw)
	return e, nil
}

// raw is the JSON of a row's document.
func (d *documents) raw(r row) ([]byte, error) {
	if len(r.doc) == 0 {
		return nil, fmt.Errorf("event %s: %w: it is empty", r.id, errDocument)
	}
	switch form, packed := r.doc[0], r.doc[1:]; form {
	case formPlain:
		return packed, nil
	case formZstd:
		raw, err := d.decoder.DecodeAll(packed, nil)
		if err != nil {
			return nil, fmt.Errorf("event %s: %w: %w", r.id, errDocument, err)
		}
		return raw, nil
	default:
		return nil, fmt.Errorf("event %s: %w: it has the unknown form %d", r.id, errDocument, form)
	}
}

// same reports whether two documents say the same, however they are packed.
func (d *documents) same(a, b row) (bool, error) {
	if slices.Equal(a.doc, b.doc) {
		return true, nil
	}
	first, err := d.raw(a)
	if err != nil {
		return false, err
	}
	second, err := d.raw(b)
	return slices.Equal(first, second), err
}

// yieldBytes is a document that takes long: some 300 recipients.
const yieldBytes = 16 << 10

// yieldAfter lets those have the processor who wait for it, after a document that took
// long. Go itself takes it away after 10 ms: beside a few readers of mailings what is done
// in a moment would wait for them many times as long.
func yieldAfter(document []byte) {
	if len(document) > yieldBytes {
		runtime.Gosched()
	}
}
