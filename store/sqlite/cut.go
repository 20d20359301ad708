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
	lacking, err := lackingPages(path, page, pages)
	if err != nil || len(lacking) == 0 {
		return err
	}
	if err := dropLogged(path+"-wal", page, lacking); err != nil {
		return err
	}
	if len(lacking) == 0 {
		return nil
	}
	// The checkpoint may have ended meanwhile, and the log begun anew.
	if lacking, err = lackingPages(path, page, pages); err != nil || len(lacking) == 0 {
		return err
	}
	return errCut
}

// lackingPages are the numbers of the pages behind the end of a file.
func lackingPages(path string, page, pages int64) (map[uint32]bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	lacking := make(map[uint32]bool)
	for number := info.Size()/page + 1; number <= pages; number++ {
		lacking[uint32(number)] = true
	}
	return lacking, nil
}

// dropLogged takes the pages that a log holds out of lacking.
func dropLogged(path string, page int64, lacking map[uint32]bool) error {
	// https://www.sqlite.org/fileformat2.html#the_write_ahead_log
	const header, frame = 32, 24
	log, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer log.Close()
	var head [header]byte
	if _, err := io.ReadFull(log, head[:]); err != nil {
		return nil // a log without a header holds nothing
	}
	var of [frame]byte
	for at := int64(header); ; at += frame + page {
		if _, err := log.ReadAt(of[:], at); err != nil || string(of[8:16]) != string(head[16:24]) {
			return nil // behind the last frame are none, or those of an older log
		}
		delete(lacking, binary.BigEndian.Uint32(of[:]))
	}
}
