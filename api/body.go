package api

import (
	"bytes"
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
type content struct{ request huma.Context }

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
	give, err := b.reserve(c, most, encoding != "")
	if err != nil {
		return nil, nil, err
	}
	raw := b.buffer()
	err = fill(raw, c.request.BodyReader(), most)
	if err != nil {
		b.release(raw)
		give()
		return nil, nil, err
	}
	if encoding == "" {
		return raw.Bytes(), func() { b.release(raw); give() }, nil
	}
	defer b.release(raw)
	plain := b.buffer()
	if err := b.decompress(plain, raw, encoding, most); err != nil {
		b.release(plain)
		give()
		return nil, nil, err
	}
	return plain.Bytes(), func() { b.release(plain); give() }, nil
}

// reserve takes the memory that a body may need at most: what its length says,
// and what it may unfold to. A declared length beyond the bound is refused
// before anything is read.
//
//nolint:contextcheck // the body brings the context of its request
func (b *bodies) reserve(c *content, most int64, compressed bool) (give func(), err error) {
	length := humagin.Unwrap(c.request).Request.ContentLength
	if length > most {
		return nil, tooLarge(most)
	}
	if length < 0 || compressed {
		length = most
	}
	if b.budget == nil {
		return func() {}, nil
	}
	return b.budget.take(c.request.Context(), length*bodyCost)
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

// fill reads all of a body that is sent within most bytes.
func fill(buffer *bytes.Buffer, from io.Reader, most int64) error {
	n, err := buffer.ReadFrom(io.LimitReader(from, most+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problem(http.StatusRequestTimeout, "the body did not come in time")
	case err != nil:
		return invalidBody("", "ended before all of it had come")
	case n > most:
		return tooLarge(most)
	}
	return nil
}

// decompress unfolds into plain. A small body that unfolds without end costs no
// more than most bytes.
func (b *bodies) decompress(plain *bytes.Buffer, raw io.Reader, encoding string, most int64) error {
	from, done, err := b.decompressor(raw, encoding)
	if err == nil {
		var n int64
		n, err = plain.ReadFrom(io.LimitReader(from, most+1))
		done()
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
