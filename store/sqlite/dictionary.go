package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"

	"github.com/klauspost/compress/zstd"
)

const (
	// formWeek is a document that is packed against a dictionary of its own week.
	formWeek = 3
	// dictionaryBytes is how large such a dictionary becomes, of which each open week has one
	// in memory, and dictionaryShare how many times as much a week has of documents at least.
	dictionaryBytes, dictionaryShare = 128 << 10, 16
	// leastDictionary is not worth being one.
	leastDictionary = 4 << 10
	// sampleBytes is the most that one document gives to a dictionary.
	sampleBytes = 4 << 10
	// firstDictionary is the number of a file's first; a frame says which one it is packed
	// against. Those below are of all weeks.
	firstDictionary = formZstd + 1
	// repackBatch is how many documents are packed in one transaction.
	repackBatch = 1000
)

// dictionaries are what documents of a week's file are packed against: one, or two while
// it is sealed once more.
type dictionaries struct {
	decoder *zstd.Decoder
	texts   map[uint32][]byte
	// samples are the rows whose documents they were made of.
	samples map[int64]bool
	// gone is the one that the file has no more, and whoever still reads an earlier moment
	// of it needs.
	gone map[uint32]bool
}

// newDictionaries makes a decoder that knows texts.
func newDictionaries(texts map[uint32][]byte, samples map[int64]bool) (*dictionaries, error) {
	options := []zstd.DOption{zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(64 << 20)}
	for number, text := range texts {
		options = append(options, zstd.WithDecoderDictRaw(number, text))
	}
	decoder, err := zstd.NewReader(nil, options...)
	if err != nil {
		return nil, err
	}
	return &dictionaries{decoder: decoder, texts: texts, samples: samples}, nil
}

// withoutDictionaries is the version of a week's file that has none yet, and numbered the one
// whose words may be of numbers. Those between are read as they are, and taken to that when
// they are opened to be written.
const withoutDictionaries, numbered = 4, 6

// isEnough reports whether a file of another version than this program's is used all the same.
func isEnough(have, want int) bool {
	return have >= withoutDictionaries && have < numbered && want == numbered
}

// addTables takes a file of such a version to this program's.
func addTables(ctx context.Context, pool *sql.DB) error {
	return transact(ctx, pool, func(tx *sql.Tx) error {
		version, err := versionIn(ctx, tx)
		for ; err == nil && isEnough(version, len(weekSchema)); version++ {
			err = step(ctx, tx, weekSchema, version)
		}
		return err
	})
}

// loadDictionaries reads what the documents of the file are packed against.
func (w *weekFile) loadDictionaries(ctx context.Context, from queries) error {
	var there bool
	err := from.QueryRowContext(ctx, "SELECT count(*) > 0 FROM sqlite_master WHERE name = 'dictionary'").Scan(&there)
	if err != nil || !there {
		return err
	}
	rows, err := from.QueryContext(ctx, "SELECT n, text, samples FROM dictionary")
	if err != nil {
		return err
	}
	defer rows.Close()
	texts, samples := make(map[uint32][]byte), make(map[int64]bool)
	for rows.Next() {
		var number uint32
		var packed, of []byte
		if err := rows.Scan(&number, &packed, &of); err != nil {
			return err
		}
		text, rowids, err := unpackDictionary(packed, of)
		if err != nil {
			return fmt.Errorf("%w: dictionary %d: %w", errDocument, number, err)
		}
		texts[number] = text
		for _, rowid := range rowids {
			samples[rowid] = true
		}
	}
	if err := rows.Err(); err != nil || len(texts) == 0 {
		return err
	}
	made, err := newDictionaries(texts, samples)
	if err != nil {
		return fmt.Errorf("%w: %w", errDocument, err)
	}
	w.dictionaries.Store(made)
	return nil
}

func unpackDictionary(packed, of []byte) (text []byte, rowids []int64, err error) {
	unpacker, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<20))
	if err != nil {
		return nil, nil, err
	}
	defer unpacker.Close()
	text, err = unpacker.DecodeAll(packed, nil)
	return text, rowids, errors.Join(err, json.Unmarshal(of, &rowids))
}

// plain is a stored document, unpacked where it is packed against the week's dictionary.
func (w *weekFile) plain(doc []byte) ([]byte, error) {
	if len(doc) == 0 || doc[0] != formWeek {
		return doc, nil
	}
	known := w.dictionaries.Load()
	if known == nil {
		return nil, fmt.Errorf("%w: its dictionary is missing", errDocument)
	}
	raw, err := known.decoder.DecodeAll(doc[1:], []byte{formPlain})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDocument, err)
	}
	return raw, nil
}

// samplesAny reports whether a dictionary of the file was made of one of these rows.
func (w *weekFile) samplesAny(rowids []int64) bool {
	known := w.dictionaries.Load()
	if known == nil {
		return false
	}
	for _, rowid := range rowids {
		if known.samples[rowid] {
			return true
		}
	}
	return false
}

// withoutSamples packs the documents of a file anew where those of rows that are to be
// taken out are in its dictionary.
func (w *weekFile) withoutSamples(ctx context.Context, documents *documents, rowids []int64) error {
	if !w.samplesAny(rowids) {
		return nil
	}
	leave := make(map[int64]bool, len(rowids))
	for _, rowid := range rowids {
		leave[rowid] = true
	}
	return w.packDocuments(ctx, documents, leave)
}

// packDocuments packs all documents of a file against a dictionary that is made of some of
// them, but of none of the rows in leave. It may be stopped and repeated: dictionaries
// that were there before go last.
func (w *weekFile) packDocuments(ctx context.Context, documents *documents, leave map[int64]bool) error {
	text, samples, err := w.sampleDocuments(ctx, documents, leave)
	if err != nil {
		return err
	}
	before := w.dictionaries.Load()
	if len(text) < leastDictionary && before == nil {
		return nil
	}
	number, err := w.putDictionary(ctx, before, text, samples)
	if err != nil {
		return err
	}
	packer, err := newPacker(number, text)
	if err != nil {
		return err
	}
	for last := int64(math.MinInt64); ; {
		n, next, err := w.packSome(ctx, documents, packer, last)
		if err != nil {
			return err
		}
		if last = next; n < repackBatch {
			break
		}
	}
	if _, err := w.writer.ExecContext(ctx, "DELETE FROM dictionary WHERE n <> ?", number); err != nil {
		return err
	}
	now := *w.dictionaries.Load()
	now.gone = make(map[uint32]bool)
	for other := range now.texts {
		now.gone[other] = other != number
	}
	w.dictionaries.Store(&now)
	return nil
}

// putDictionary has everybody know a dictionary before anything is packed against it.
func (w *weekFile) putDictionary(ctx context.Context, before *dictionaries, text []byte, rowids []int64) (number uint32, err error) {
	texts, samples := make(map[uint32][]byte), make(map[int64]bool)
	number = firstDictionary
	if before != nil {
		maps.Copy(samples, before.samples)
		for other, old := range before.texts {
			if !before.gone[other] {
				texts[other] = old
			}
		}
		for before.texts[number] != nil {
			number++
		}
	}
	texts[number] = text
	for _, rowid := range rowids {
		samples[rowid] = true
	}
	made, err := newDictionaries(texts, samples)
	if err != nil {
		return 0, err
	}
	w.dictionaries.Store(made)
	of, err := json.Marshal(rowids)
	if err != nil {
		return 0, err
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return 0, err
	}
	_, err = w.writer.ExecContext(ctx, "INSERT INTO dictionary VALUES(?, ?, ?)", number, encoder.EncodeAll(text, nil), of)
	return number, errors.Join(err, encoder.Close())
}

// newPacker makes an encoder that looks longer for what repeats than one for new events.
func newPacker(number uint32, text []byte) (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithWindowSize(4*dictionaryBytes),
		zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderDictRaw(number, text))
}

// packSome packs the documents of some rows behind one, in one transaction.
func (w *weekFile) packSome(ctx context.Context, documents *documents, packer *zstd.Encoder, after int64) (n int, last int64, err error) {
	rows, err := w.writer.QueryContext(ctx, "SELECT k, space, id, doc FROM event WHERE k > ? ORDER BY k LIMIT +?", after, repackBatch)
	if err != nil {
		return 0, 0, err
	}
	batch, err := w.scanRows(rows)
	if err != nil || len(batch) == 0 {
		return 0, after, err
	}
	err = transact(ctx, w.writer, func(tx *sql.Tx) error {
		replace := tx.StmtContext(ctx, w.write.replace)
		for _, r := range batch {
			raw, err := documents.raw(r)
			if err != nil {
				return err
			}
			packed := packer.EncodeAll(raw, []byte{formWeek})
			if len(packed) > len(raw) {
				packed = append([]byte{formPlain}, raw...)
			}
			if _, err := replace.ExecContext(ctx, packed, r.rowid); err != nil {
				return err
			}
		}
		return nil
	})
	return len(batch), batch[len(batch)-1].rowid, err
}

// sampleDocuments puts some documents, evenly far from each other, together to a dictionary.
func (w *weekFile) sampleDocuments(ctx context.Context, documents *documents, leave map[int64]bool) (text []byte, samples []int64, err error) {
	rowids, most, step, err := w.sampled(ctx)
	if err != nil {
		return nil, nil, err
	}
	for at := step / 2; at < len(rowids) && len(text) < most; at += step {
		if leave[rowids[at]] {
			continue
		}
		rows, err := w.write.run.QueryContext(ctx, rowids[at], rowids[at])
		if err != nil {
			return nil, nil, err
		}
		found, err := w.scanRows(rows)
		if err != nil {
			return nil, nil, err
		}
		for _, r := range found {
			raw, err := documents.raw(r)
			if err != nil {
				return nil, nil, err
			}
			text = append(text, raw[:min(len(raw), sampleBytes)]...)
			samples = append(samples, r.rowid)
		}
	}
	return text[:min(len(text), most)], samples, nil
}

// sampled are the rows of the file, how large a dictionary of them becomes, and of which of
// them it is made: every so many.
func (w *weekFile) sampled(ctx context.Context) (rowids []int64, most, step int, err error) {
	var bytes int
	if err := w.writer.QueryRowContext(ctx, "SELECT ifnull(sum(length(doc)), 0) FROM event").Scan(&bytes); err != nil {
		return nil, 0, 0, err
	}
	// A document is about twice as long when it is unpacked.
	most = min(dictionaryBytes, 2*bytes/dictionaryShare)
	step = max(1, 2*bytes/max(1, most))
	rows, err := w.writer.QueryContext(ctx, "SELECT k FROM event ORDER BY k")
	if err != nil {
		return nil, 0, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var rowid int64
		if err := rows.Scan(&rowid); err != nil {
			return nil, 0, 0, err
		}
		rowids = append(rowids, rowid)
	}
	return rowids, most, step, rows.Err()
}
