package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"tidings/event"
)

// sumEnding is of the file that holds the checksum of a sealed week, which nothing
// writes any more: SHA-256 in hexadecimal, as sha256sum writes it.
const sumEnding = ".sealed.sha256"

// errSum is a sealed file that is not as it was sealed.
var errSum = errors.New("its file is not as it was sealed: its checksum differs")

// sumOf is what is noted of a sealed file. A file that took its place has another time.
func sumOf(ctx context.Context, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	sum, err := sumFile(ctx, path)
	return fmt.Sprintf("%s  %d bytes of %s\n", sum, info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano)), err
}

// writeSum notes the checksum of a sealed file.
func (x *Index) writeSum(week event.Week, noted string) error {
	path := x.path(week, sumEnding)
	if err := os.WriteFile(path+newEnding, []byte(noted), 0o600); err != nil {
		return err
	}
	return errors.Join(x.sync(path+newEnding), rename(path+newEnding, path))
}

// dropSum forgets the checksum of a sealed file that is about to change.
func (x *Index) dropSum(week event.Week) error {
	if err := os.Remove(x.path(week, sumEnding)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// sumFile reads a file in pieces.
func sumFile(ctx context.Context, path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	for {
		_, err := io.CopyN(hash, file, 1<<20)
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(hash.Sum(nil)), ctx.Err()
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return "", err
		}
	}
}

// Check reads a week from end to end: the checksum of a sealed one, SQLite's checks of
// pages, indexes and words, and every document. A week in which something is wrong is
// an event.WeekDamaged, and left alone from then on; one that does not exist is whole.
func (x *Index) Check(ctx context.Context, week event.Week) error {
	err := x.using(ctx, week, false, func(file *weekFile, sealed bool) error {
		if err := x.present(week, x.path(week, endingOf(sealed))); err != nil {
			return err
		}
		note := ""
		if sealed {
			var err error
			if note, err = x.checkSum(ctx, week); err != nil {
				return err
			}
		}
		if _, err := verifyFile(ctx, x.path(week, endingOf(sealed)), sealed); err != nil {
			return err
		}
		if err := x.checkDocuments(ctx, file); err != nil || note == "" {
			return err
		}
		return x.writeSum(week, note)
	})
	return failed("checking week "+week.String(), err)
}

// checkSum holds a sealed file to what was noted of it. One that has nothing noted, or
// took the place of another, is noted once the rest of the checks went well.
func (x *Index) checkSum(ctx context.Context, week event.Week) (note string, err error) {
	sum, err := sumOf(ctx, x.path(week, sealedEnding))
	if err != nil {
		return "", err
	}
	noted, err := os.ReadFile(x.path(week, sumEnding))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	_, before, _ := strings.Cut(string(noted), "  ")
	_, now, _ := strings.Cut(sum, "  ")
	switch {
	case string(noted) == sum:
		return "", nil
	case before == now:
		return "", errSum
	}
	return sum, nil
}

// checkBatch is how many documents are read at a time.
const checkBatch = 500

func (x *Index) checkDocuments(ctx context.Context, file *weekFile) error {
	var total, counted int64
	if err := file.reader.QueryRowContext(ctx, "SELECT events FROM total").Scan(&total); err != nil {
		return err
	}
	for after := int64(math.MinInt64); ; {
		rows, err := x.someRows(ctx, file, after)
		if err != nil {
			return err
		}
		for _, r := range rows {
			name := file.nameOf(r.workspaceID)
			if name == "" {
				return fmt.Errorf("%w: a row is of no workspace", errDocument)
			}
			if _, err := x.documents.unpack(r.id, name, r.doc); err != nil {
				return err
			}
			if file.numbers != nil {
				if _, err := file.numberOf(ctx, file.read.block, r.workspaceID, r.rowid); err != nil {
					return err
				}
			}
			after = r.rowid
		}
		if counted += int64(len(rows)); len(rows) < checkBatch {
			break
		}
	}
	if counted < total {
		return fmt.Errorf("%w: %d of %d events are there", errDocument, counted, total)
	}
	return nil
}

func (x *Index) someRows(ctx context.Context, file *weekFile, after int64) ([]row, error) {
	rows, err := file.reader.QueryContext(ctx, "SELECT k, space, id, doc FROM event WHERE k > ? ORDER BY k LIMIT +?", after, checkBatch)
	if err != nil {
		return nil, err
	}
	return file.scanRows(rows)
}

// pauseBetween is what the nightly walk rests after each week, times as long as the
// week took.
const pauseBetween = 4

// CheckSome checks weeks in turn, beginning behind after, until a share of them is
// done; 0 checks all. It returns the last week that was checked, and those that are
// damaged. It rests between weeks, so that it takes a fifth of the disk's time at most.
func (x *Index) CheckSome(ctx context.Context, after event.Week, share int) (last event.Week, damaged event.DamagedWeeks, err error) {
	weeks := x.known() // newest first
	most := len(weeks)
	if share > 0 {
		most = (len(weeks) + share - 1) / share
	}
	begin := 0
	for i, week := range weeks {
		if week < after {
			begin = i
			break
		}
	}
	for i := range most {
		week, began := weeks[(begin+i)%len(weeks)], time.Now()
		found, other := event.SplitDamaged(x.Check(ctx, week))
		if other != nil {
			return last, damaged, other
		}
		damaged, last = append(damaged, found...), week
		if share > 0 && !pause(ctx, pauseBetween*time.Since(began)) {
			return last, damaged, ctx.Err()
		}
	}
	return last, damaged, nil
}
