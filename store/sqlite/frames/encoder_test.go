package frames

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const dictionary = `{"type":"click","message":"","recipient":{"email":"@example.com","name":""},"subject":"Re: ","link":"https://`

func decoder(t testing.TB) *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderDictRaw(1, []byte(dictionary)), zstd.WithDecoderConcurrency(1))
	require.NoError(t, err)
	t.Cleanup(d.Close)
	return d
}

// comesBack requires that a document is read as it was, by a decoder that is not ours.
func comesBack(t require.TestingT, d *zstd.Decoder, e *Encoder, document []byte) bool {
	frame, ok := e.Append([]byte("before"), document)
	require.True(t, bytes.HasPrefix(frame, []byte("before")))
	if !ok {
		require.Len(t, frame, len("before"))
		return false
	}
	got, err := d.DecodeAll(frame[len("before"):], nil)
	require.NoError(t, err)
	require.True(t, bytes.Equal(document, got))
	return true
}

func TestFramesAreReadByOthers(t *testing.T) {
	d, e := decoder(t), New(1, []byte(dictionary))
	r := rand.New(rand.NewPCG(1, 2))
	letters := func(n, kinds int) string {
		text := make([]byte, n)
		for i := range text {
			text[i] = byte('a' + r.IntN(kinds))
		}
		return string(text)
	}
	for _, document := range []string{
		dictionary, dictionary + dictionary,
		`{"type":"click","message":"m-1","recipient":{"email":"jo@example.com","name":"Jo"},"subject":"Re: Pricing"}`,
		strings.Repeat("a", 300), strings.Repeat("ab", 15_000), strings.Repeat("x", MostBytes),
		dictionary + letters(200, 20), dictionary + letters(1023, 20), dictionary + letters(1024, 20), dictionary + letters(1025, 20),
		letters(20_000, 15), letters(MostBytes, 12), letters(17<<10, 3), dictionary + strings.Repeat("ü€", 40),
	} {
		require.True(t, comesBack(t, d, e, []byte(document)), "%.20s of %d", document, len(document))
	}
	for _, document := range []string{"", "a", letters(MostBytes+1, 3), strings.Map(func(rune) rune { return rune(r.IntN(128)) }, letters(40, 2))} {
		require.False(t, comesBack(t, d, e, []byte(document)), "it is too large, or would grow")
	}
}

// Of lengths that documents rarely have, each code is used.
func TestEachLengthIsReadByOthers(t *testing.T) {
	d, e := decoder(t), New(1, []byte(dictionary))
	r := rand.New(rand.NewPCG(3, 4))
	for length := 1; length < 20_000; length += 1 + length/7 {
		noise := make([]byte, length)
		for i := range noise {
			noise[i] = byte(r.IntN(40))
		}
		document := append(append(append([]byte(dictionary), noise...), noise...), dictionary[:min(length, len(dictionary))]...)
		if len(document) <= MostBytes {
			comesBack(t, d, e, document)
		}
	}
}

func TestAnyDocumentIsReadByOthers(t *testing.T) {
	d, e := decoder(t), New(1, []byte(dictionary))
	words := rapid.SliceOfN(rapid.OneOf(
		rapid.SampledFrom([]string{dictionary, `"link":"https://`, "proposal", "\n", "\x00", "aaaaaaaaaaaaaaaaaaaaaaaa"}),
		rapid.StringN(1, 12, -1),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, 40), func(raw []byte) string { return string(raw) }),
	), 1, 200)
	rapid.Check(t, func(rt *rapid.T) {
		comesBack(rt, d, e, []byte(strings.Join(words.Draw(rt, "words"), "")))
	})
}

func FuzzAppend(f *testing.F) {
	d, e := decoder(f), New(1, []byte(dictionary))
	f.Add([]byte(dictionary + dictionary))
	f.Fuzz(func(t *testing.T, document []byte) { comesBack(t, d, e, document) })
}
