package api

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Bounds of what is read from a caller.
const (
	// maxEventsBody bounds a body of events, both as it comes and decompressed.
	maxEventsBody = 10 << 20
	// maxDocument bounds every other body.
	maxDocument = 64 << 10
	// maxWindow bounds the memory that a zstd frame may ask for.
	maxWindow = 8 << 20
)

// content is a request's body that the handler reads itself: huma would read it
// without a decoder of ours, and decode it by reflection.
type content struct {
	request huma.Context
	// workspace is whose a body is, where no caller says so.
	workspace string
	// came is how much of a body has been read, decompressed.
	came int64
}

// Resolve is called by huma before the handler.
func (c *content) Resolve(ctx huma.Context) []error {
	c.request = ctx
	return nil
}

// mediaType checks Content-Type against those that are taken.
func (c *content) mediaType(taken ...string) (string, error) {
	given := c.request.Header("Content-Type")
	name, parameters, err := mime.ParseMediaType(given)
	charset := strings.ToLower(parameters["charset"])
	if err != nil || !slices.Contains(taken, name) || (charset != "" && charset != "utf-8") {
		p := problem(http.StatusUnsupportedMediaType, "the Content-Type must be "+strings.Join(taken, " or ")+", in UTF-8")
		p.Errors = []ProblemError{{Location: "header.Content-Type", Message: p.Detail, Value: clipValue(given)}}
		return "", p
	}
	return name, nil
}

// bodies reads bodies into buffers that are used again.
type bodies struct {
	// budget bounds what all bodies in flight hold; nil is no bound.
	budget  *budget
	buffers sync.Pool // of *bytes.Buffer
	gzip    sync.Pool // of *gzip.Reader
	zstd    sync.Pool // of *zstd.Decoder
}

// read returns the body, decompressed where compressed is allowed. Neither the
// bytes that come nor those that they unfold to are ever more than most. The
// bytes are the caller's until release.
//
//nolint:contextcheck // the body brings the context of its request
func (b *bodies) read(c *content, most int64, compressed bool) (body []byte, release func(), err error) {
	encoding := strings.ToLower(strings.TrimSpace(c.request.Header("Content-Encoding")))
	if encoding == "identity" {
		encoding = ""
	}
	if encoding != "" && (!compressed || (encoding != "gzip" && encoding != "zstd")) {
		p := problem(http.StatusUnsupportedMediaType, "the Content-Encoding is not understood here")
		p.Errors = []ProblemError{{Location: "header.Content-Encoding", Message: p.Detail, Value: clipValue(encoding)}}
		return nil, nil, p
	}
	length := humagin.Unwrap(c.request).Request.ContentLength
	if length > most {
		return nil, nil, tooLarge(most) // before anything is read
	}
	ctx, workspace := c.request.Context(), c.workspace
	if caller, ok := CallerFrom(ctx); ok {
		workspace = caller.Workspace
	}
	held := b.budget.held(workspace)
	raw := b.buffer()
	cost := int64(bodyCost)
	if encoding != "" {
		cost = 1 // what it unfolds to is what costs
	}
	err = fill(raw, &heldReader{ctx: ctx, from: c.request.BodyReader(), hold: held, cost: cost}, length, most)
	c.came = int64(raw.Len())
	if err != nil {
		b.release(raw)
		held.release()
		return nil, nil, err
	}
	if encoding == "" {
		return raw.Bytes(), func() { b.release(raw); held.release() }, nil
	}
	defer b.release(raw)
	plain := b.buffer()
	err = b.decompress(ctx, plain, raw, encoding, most, held)
	c.came = max(c.came, int64(plain.Len()))
	if err != nil {
		b.release(plain)
		held.release()
		return nil, nil, err
	}
	return plain.Bytes(), func() { b.release(plain); held.release() }, nil
}

func (b *bodies) buffer() *bytes.Buffer {
	if buffer, ok := b.buffers.Get().(*bytes.Buffer); ok {
		return buffer
	}
	return new(bytes.Buffer)
}

func (b *bodies) release(buffer *bytes.Buffer) {
	if buffer.Cap() > keptBuffer {
		return // one large body would be held for ever
	}
	buffer.Reset()
	b.buffers.Put(buffer)
}

// fill reads all of a body that is sent within most bytes. length is what its sender says
// of it, or -1: it is believed, and room made for all, once an eighth of it has come. To
// double the room again and again would take three times the body.
func fill(buffer *bytes.Buffer, from io.Reader, length, most int64) error {
	err := readAll(buffer, io.LimitReader(from, most+1), length)
	n := int64(buffer.Len())
	refused, noMemory := errors.AsType[*Problem](err)
	switch {
	case noMemory:
		return refused
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problem(http.StatusRequestTimeout, "the body did not come in time")
	case err != nil:
		return invalidBody("", "ended before all of it had come")
	case n > most:
		return tooLarge(most)
	}
	return nil
}

// readAll is what fill does with what comes.
func readAll(buffer *bytes.Buffer, from io.Reader, length int64) error {
	var err error
	for err == nil {
		if buffer.Available() == 0 {
			room := max(buffer.Len(), leastChunk)
			if length > 0 && int64(buffer.Len()) >= length/8 {
				room = max(int(length)-buffer.Len()+1, leastChunk)
			}
			buffer.Grow(room)
		}
		free := buffer.AvailableBuffer()
		var n int
		n, err = from.Read(free[:cap(free)])
		buffer.Write(free[:n])
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// unfolded is what a compressed body says that it unfolds to, -1 where it does not or says
// more than most.
func unfolded(raw []byte, encoding string, most int64) int64 {
	length := uint64(0)
	var frame zstd.Header
	switch {
	case encoding == "gzip" && len(raw) >= 4:
		length = uint64(binary.LittleEndian.Uint32(raw[len(raw)-4:])) // RFC 1952, ISIZE
	case encoding == "zstd" && frame.Decode(raw) == nil && frame.HasFCS:
		length = frame.FrameContentSize
	}
	if length == 0 || length > uint64(most) {
		return -1
	}
	return int64(length)
}

// decompress unfolds into plain. A small body that unfolds without end costs no
// more than most bytes.
func (b *bodies) decompress(ctx context.Context, plain, raw *bytes.Buffer, encoding string, most int64, held *hold) error {
	if encoding == "zstd" {
		if err := held.grow(ctx, maxWindow); err != nil {
			return err
		}
	}
	length := unfolded(raw.Bytes(), encoding, most)
	from, done, err := b.decompressor(raw, encoding)
	if err == nil {
		err = readAll(plain, io.LimitReader(&heldReader{ctx: ctx, from: from, hold: held, cost: bodyCost}, most+1), length)
		n := int64(plain.Len())
		done()
		if refused, ok := errors.AsType[*Problem](err); ok {
			return refused
		}
		if n > most {
			return tooLarge(most)
		}
	}
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return tooLarge(most)
	}
	if err != nil {
		return invalidBody("", "is not valid "+encoding)
	}
	return nil
}

// decompressor returns a reader out of the pool; done puts it back.
func (b *bodies) decompressor(raw io.Reader, encoding string) (from io.Reader, done func(), err error) {
	if encoding == "gzip" {
		reader, ok := b.gzip.Get().(*gzip.Reader)
		if !ok {
			reader = new(gzip.Reader)
		}
		return reader, func() { b.gzip.Put(reader) }, reader.Reset(raw)
	}
	decoder, ok := b.zstd.Get().(*zstd.Decoder)
	if !ok {
		// A concurrency of one decodes in the calling goroutine and needs no
		// Close.
		decoder, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, fmt.Errorf("make zstd decoder: %w", err)
		}
	}
	return decoder, func() { b.zstd.Put(decoder) }, decoder.Reset(raw)
}

func tooLarge(most int64) *Problem {
	size := fmt.Sprintf("%d MiB", most>>20)
	if most < 1<<20 {
		size = fmt.Sprintf("%d KiB", most>>10)
	}
	p := problem(http.StatusRequestEntityTooLarge, "at most "+size+" are taken, decompressed")
	p.Errors = []ProblemError{{Location: "body", Message: p.Detail}}
	return p
}

// invalidBody is a body whose field at location ("" for all of it) is at fault.
func invalidBody(location, message string) *Problem {
	where := "body"
	if location != "" {
		where += "." + location
	}
	p := problem(http.StatusBadRequest, where+" "+message)
	p.Errors = []ProblemError{{Location: where, Message: message}}
	return p
}
