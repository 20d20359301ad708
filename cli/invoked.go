package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// invokedAs is how this program was started, as a shell takes it: what is printed
// to be run again must run for whoever reads it.
func invokedAs() string {
	executable, err := os.Executable()
	if err != nil {
		executable = ""
	}
	return commandOf(os.Args[0], executable)
}

// commandOf tells it by the first argument and the path of the program. go run
// builds into a directory of its own, which is gone afterwards.
func commandOf(argument, executable string) string {
	for _, path := range []string{argument, executable} {
		if strings.Contains(filepath.ToSlash(path), "/go-build") {
			return "go run ."
		}
	}
	if argument == "" {
		return "tidings"
	}
	return shellQuoted(argument)
}

var plainWord = regexp.MustCompile(`^[\w@%+=:,./-]+$`)

// shellQuoted is a word as a shell reads it back.
func shellQuoted(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
