package mailbox

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// isPartOfMaildir reports whether a folder is the cur, new or tmp of a Maildir,
// which is listed with it.
func isPartOfMaildir(root, folder string) bool {
	name := filepath.Base(folder)
	return folder != root && (name == "cur" || name == "new") && isMaildir(filepath.Dir(folder))
}

func isMaildir(path string) bool {
	for _, sub := range []string{"cur", "new"} {
		if info, err := os.Stat(filepath.Join(path, sub)); err == nil && info.IsDir() {
			return true
		}
	}
	return false
}

// list gives the files of mail of a folder, by their names below it, in an order
// that stays when a mail program moves one from new to cur and adds flags.
func (d *directory) list(folder string) (files []string, strays Ignored, err error) {
	name := filepath.Base(folder)
	if folder == d.path && (name == "cur" || name == "new") {
		// One half of a Maildir, given by its own name.
		files, err = namesIn(folder, "", func(string) bool { return true }, nil)
		return files, strays, err
	}
	if isMaildir(folder) {
		for _, sub := range []string{"cur", "new"} {
			if files, err = namesIn(folder, sub, isMaildirName, &strays, files...); err != nil {
				return nil, strays, err
			}
		}
	}
	files, err = namesIn(folder, "", func(name string) bool { return isMailFile(filepath.Join(folder, name)) }, &strays, files...)
	slices.SortFunc(files, func(a, b string) int { return compareNames(keyOf(a), keyOf(b)) })
	if sent := slices.IndexFunc(files, func(name string) bool { return FolderOfPath(name) == FolderSent }); sent > 0 {
		name := files[sent]
		copy(files[1:sent+1], files[:sent])
		files[0] = name
	}
	return files, strays, err
}

// compareNames orders numbers by their value, as MH counts its mails.
func compareNames(a, b string) int {
	n, err1 := strconv.Atoi(strings.TrimSuffix(a, "."))
	m, err2 := strconv.Atoi(strings.TrimSuffix(b, "."))
	if err1 == nil && err2 == nil && n != m {
		return n - m
	}
	return strings.Compare(a, b)
}

// namesIn adds the wanted names of regular files of folder/sub to found.
func namesIn(folder, sub string, wanted func(name string) bool, strays *Ignored, found ...string) ([]string, error) {
	opened, err := os.Open(filepath.Join(folder, sub))
	if errors.Is(err, os.ErrNotExist) && sub != "" {
		return found, nil
	}
	if err != nil {
		return nil, notThere("list a directory of mail", err)
	}
	defer opened.Close()
	for {
		entries, err := opened.ReadDir(1000)
		for _, entry := range entries {
			name := entry.Name()
			switch {
			case entry.IsDir() || strings.HasPrefix(name, "."):
			case entry.Type().IsRegular() && wanted(name):
				found = append(found, filepath.Join(sub, name))
			case strays != nil:
				strays.add(Ignored{1, []string{filepath.Join(filepath.Base(folder), sub, name)}})
			}
		}
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, notThere("list a directory of mail", err)
		}
	}
}
