package stream

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/highwayhash"
	"github.com/nats-io/nats.go"
)

// The blocks of the in-process server's streams are read here without it, record by
// record, since a damaged block may keep it from starting. A record is its length
// with a bit for headers, 4 bytes; its sequence, 8; a time, 8; the length of its
// subject, 2; the subject; with headers their length, 4, and they; the data; and a
// checksum, 8. All numbers are little endian.
const (
	recordHead     = 22
	recordChecksum = 8
	recordHeaders  = 1 << 31
	// longestRecord is more than any message of ours has.
	longestRecord = 2 * maxPayload
	// erasedBit marks a message that was removed, removedBit the note of a later
	// record that one was.
	erasedBit, removedBit = 1 << 63, 1 << 62
)

// records are the sequences that could be read of a stream's blocks: what the messages
// say is read a second time, so that memory follows their number and not their size.
type records struct {
	sequences []uint64
	// removed are sequences of messages that were taken out again.
	removed []uint64
	// unreadable is how many bytes belong to no record.
	unreadable int64
}

// record is one that was read: a message, or nil and that the sequence was removed.
type record struct {
	sequence uint64
	message  *nats.Msg
}

// listRecords reads all blocks of a stream in a server's directory.
func listRecords(dir, name, prefix string) (r records, err error) {
	r.unreadable, err = readRecords(dir, name, prefix, func(each record) error {
		if each.message == nil {
			r.removed = append(r.removed, each.sequence)
		} else {
			r.sequences = append(r.sequences, each.sequence)
		}
		return nil
	})
	for _, list := range []*[]uint64{&r.sequences, &r.removed} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return r, err
}

// missing is how many sequences between the first and the last could not be read.
func (r records) missing() (missing uint64) {
	for i := 1; i < len(r.sequences); i++ {
		missing += r.sequences[i] - r.sequences[i-1] - 1
	}
	return missing
}

// kept reports whether a message was not removed.
func (r records) kept(sequence uint64) bool {
	_, removed := slices.BinarySearch(r.removed, sequence)
	return !removed
}

// readRecords reads the blocks of a stream in their order, record by record.
func readRecords(dir, name, prefix string, each func(record) error) (unreadable int64, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", name, "msgs", "*.blk"))
	if err != nil {
		return 0, err
	}
	blocks := make(map[uint64]string, len(paths))
	for _, path := range paths {
		if number, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(path), ".blk"), 10, 32); err == nil {
			blocks[number] = path
		}
	}
	for _, number := range slices.Sorted(maps.Keys(blocks)) {
		key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", name, number))
		sum, err := highwayhash.NewDigest64(key[:])
		if err != nil {
			return unreadable, err
		}
		skipped, err := readBlock(blocks[number], prefix, sum, each)
		unreadable += skipped
		if err != nil {
			return unreadable, fmt.Errorf("read a block of %s: %w", name, err)
		}
	}
	return unreadable, nil
}

// errRecord is bytes that are no record.
var errRecord = errors.New("not a record")

// readBlock reads a block's records. Behind one that is damaged it looks for the next. It
// holds as much of the file as the longest record takes, however large the file is. What
// is no file has no records.
func readBlock(path, prefix string, sum *highwayhash.Digest64, each func(record) error) (unreadable int64, err error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return 0, err
	}
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	// Half of it is read at a time, so that what is moved is little of what is read.
	buffer := make([]byte, min(info.Size()+1, 2*longestRecord))
	raw, whole := buffer[:0], false
	for {
		if !whole && len(raw) < longestRecord {
			n := copy(buffer, raw)
			more, err := io.ReadFull(file, buffer[n:])
			whole = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
			if err != nil && !whole {
				return unreadable, err
			}
			raw = buffer[:n+more]
		}
		if len(raw) == 0 {
			return unreadable, nil
		}
		found, n, err := readRecord(raw, prefix, sum)
		if err != nil {
			unreadable++
			raw = raw[1:]
			continue
		}
		if err := each(found); err != nil {
			return unreadable, err
		}
		raw = raw[n:]
	}
}

// readRecord returns the record that bytes begin with, and its length.
func readRecord(raw []byte, prefix string, sum *highwayhash.Digest64) (record, int, error) {
	if len(raw) < recordHead+recordChecksum {
		return record{}, 0, errRecord
	}
	length, headers := binary.LittleEndian.Uint32(raw), false
	if length&recordHeaders != 0 {
		length, headers = length&^recordHeaders, true
	}
	subject := int(binary.LittleEndian.Uint16(raw[20:]))
	begin := recordHead + subject
	if headers {
		begin += 4
	}
	if int64(length) > min(int64(len(raw)), longestRecord) || begin+recordChecksum > int(length) {
		return record{}, 0, errRecord
	}
	end := int(length) - recordChecksum
	name := raw[recordHead : recordHead+subject]
	if subject > 0 && !bytes.HasPrefix(name, []byte(prefix)) {
		return record{}, 0, errRecord
	}
	sum.Reset()
	for _, part := range [][]byte{raw[4:20], name, raw[begin:end]} {
		_, _ = sum.Write(part) // It never fails.
	}
	if !bytes.Equal(sum.Sum(nil), raw[end:length]) {
		return record{}, 0, errRecord
	}
	sequence := binary.LittleEndian.Uint64(raw[4:])
	switch {
	case sequence&removedBit != 0:
		return record{sequence: sequence &^ removedBit}, int(length), nil
	case sequence == 0 || sequence&erasedBit != 0:
		return record{sequence: sequence &^ erasedBit}, int(length), nil
	}
	message, err := messageOf(string(name), raw[begin:end], headers, raw[begin-4:])
	return record{sequence, message}, int(length), err
}

// messageOf is a record's message. Headers that the server adds are left out.
func messageOf(subject string, body []byte, headers bool, size []byte) (*nats.Msg, error) {
	message := &nats.Msg{Subject: subject, Header: nats.Header{}}
	if headers {
		// The length is under no checksum, the empty line behind headers is.
		n := int64(bytes.Index(body, []byte("\r\n\r\n"))) + 4
		if n < 4 || n != int64(binary.LittleEndian.Uint32(size)) {
			return nil, errRecord
		}
		given, err := nats.DecodeHeadersMsg(body[:n])
		if err != nil {
			return nil, errRecord
		}
		for key, values := range given {
			if !strings.HasPrefix(key, "Nats-") {
				message.Header[key] = values
			}
		}
		body = body[n:]
	} else if !splitRightly(subject, body) {
		return nil, errRecord
	}
	message.Data = bytes.Clone(body)
	return message, nil
}

// splitRightly reports whether the subject and the data of a record without headers,
// which stand side by side, may have been parted where they were joined: the length of
// the subject is under no checksum. Of a claim this finds an odd length alone.
func splitRightly(subject string, data []byte) bool {
	_, err := fromToken(subject[strings.LastIndex(subject, ".")+1:])
	return err == nil && (!strings.HasPrefix(subject, deadPrefix) || json.Valid(data))
}
