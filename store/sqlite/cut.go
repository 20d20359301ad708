package sqlite

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// stillCut is errCut unless the pages that a file lacks are on their way into it: a
// checkpoint writes the header, which counts them, before it writes them from the log.
func stillCut(path string, page, pages int64) error {
	held, err := pagesHeld(path, page)
	if err != nil || held >= pages {
		return err
	}
	logged, err := pagesLogged(path+"-wal", page, held, pages)
	if err != nil || logged == pages-held {
		return err
	}
	// The checkpoint may have ended meanwhile, and the log begun anew.
	if held, err = pagesHeld(path, page); err != nil || held >= pages {
		return err
	}
	return errCut
}

// pagesHeld is how many whole pages a file holds.
func pagesHeld(path string, page int64) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size() / page, nil
}

// pagesLogged is how many of the pages behind held, up to the last, a log holds. It keeps
// no more than that log has: how many are missing is said by a header that may be damaged.
func pagesLogged(path string, page, held, last int64) (int64, error) {
	// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
	const header, frame = 32, 24
	log, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer log.Close()
	var head [header]byte
	if _, err := io.ReadFull(log, head[:]); err != nil {
		return 0, nil // a log without a header holds nothing
	}
	logged := make(map[int64]bool)
	var of [frame]byte
	for at := int64(header); ; at += frame + page {
		if _, err := log.ReadAt(of[:], at); err != nil || string(of[8:16]) != string(head[16:24]) {
			return int64(len(logged)), nil // behind the last frame are none, or those of an older log
		}
		if number := int64(binary.BigEndian.Uint32(of[:])); number > held && number <= last {
			logged[number] = true
		}
	}
}
