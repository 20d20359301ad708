package stream

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
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

// records are what could be read of a stream's blocks.
type records struct {
	messages map[uint64]*nats.Msg
	// removed are sequences of messages that were taken out again.
	removed map[uint64]bool
	// unreadable is how many bytes belong to no record.
	unreadable int64
}

// readRecords reads all blocks of a stream in a server's directory.
func readRecords(dir, name, prefix string) (records, error) {
	found := records{messages: map[uint64]*nats.Msg{}, removed: map[uint64]bool{}}
	blocks, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", name, "msgs", "*.blk"))
	if err != nil {
		return found, err
	}
	for _, path := range blocks {
		raw, err := os.ReadFile(path)
		if err != nil {
			return found, fmt.Errorf("read a block of %s: %w", name, err)
		}
		number, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(path), ".blk"), 10, 32)
		if err != nil {
			continue
		}
		key := sha256.Sum256(fmt.Appendf(nil, "%s-%d", name, number))
		sum, err := highwayhash.NewDigest64(key[:])
		if err != nil {
			return found, err
		}
		found.block(raw, prefix, sum)
	}
	return found, nil
}

// errRecord is bytes that are no record.
var errRecord = errors.New("not a record")

// block reads a block's records. Behind one that is damaged it looks for the next.
func (r *records) block(raw []byte, prefix string, sum *highwayhash.Digest64) {
	for len(raw) > 0 {
		n, err := r.record(raw, prefix, sum)
		if err != nil {
			n = 1
			r.unreadable++
		}
		raw = raw[n:]
	}
}

// record takes in the record that bytes begin with, and returns its length.
func (r *records) record(raw []byte, prefix string, sum *highwayhash.Digest64) (int, error) {
	if len(raw) < recordHead+recordChecksum {
		return 0, errRecord
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
		return 0, errRecord
	}
	end := int(length) - recordChecksum
	name := raw[recordHead : recordHead+subject]
	if subject > 0 && !bytes.HasPrefix(name, []byte(prefix)) {
		return 0, errRecord
	}
	sum.Reset()
	for _, part := range [][]byte{raw[4:20], name, raw[begin:end]} {
		_, _ = sum.Write(part) // It never fails.
	}
	if !bytes.Equal(sum.Sum(nil), raw[end:length]) {
		return 0, errRecord
	}
	sequence := binary.LittleEndian.Uint64(raw[4:])
	switch {
	case sequence&removedBit != 0:
		r.removed[sequence&^removedBit] = true
	case sequence == 0 || sequence&erasedBit != 0:
		r.removed[sequence&^erasedBit] = true
	default:
		message, err := messageOf(string(name), raw[begin:end], headers, raw[begin-4:])
		if err != nil {
			return 0, err
		}
		r.messages[sequence] = message
	}
	return int(length), nil
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

// inOrder are the messages that were not removed.
func (r *records) inOrder() (messages []*nats.Msg, missing uint64) {
	sequences := make([]uint64, 0, len(r.messages))
	for sequence := range r.messages {
		sequences = append(sequences, sequence)
	}
	slices.Sort(sequences)
	for i, sequence := range sequences {
		if i > 0 {
			missing += sequence - sequences[i-1] - 1
		}
		if !r.removed[sequence] {
			messages = append(messages, r.messages[sequence])
		}
	}
	return messages, missing
}
