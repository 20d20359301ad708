package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLinesToRunAreThoseOfWhoeverStartedTheProgram(t *testing.T) {
	for _, test := range []struct{ name, argument, executable, want string }{
		{"go run", "/tmp/go-build123/b001/exe/tidings", "/tmp/go-build123/b001/exe/tidings", "go run ."},
		{"go run with another cache", "/home/jo/.cache/go-build/ab/abcd-d/tidings", "/home/jo/.cache/go-build/ab/abcd-d/tidings", "go run ."},
		{"in the path", "tidings", "/usr/bin/tidings", "tidings"},
		{"built here", "./bin/tidings", "/home/jo/tidings/bin/tidings", "./bin/tidings"},
		{"a folder with a blank", "/home/jo/my tools/tidings", "/home/jo/my tools/tidings", "'/home/jo/my tools/tidings'"},
		{"no name", "", "", "tidings"},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, commandOf(test.argument, test.executable))
		})
	}
	require.Equal(t, `'it'\''s'`, shellQuoted("it's"))
}

func TestAnEventWithoutAUserIsNobodysWord(t *testing.T) {
	printer := &feedPrinter{}
	jo := foundPerson{Email: "jo@acme.example", Name: "Jo"}
	require.Equal(t, "Mail sent to Jo  Hello", printer.line(foundItem{Type: "send", Subject: "Hello", Recipients: []foundPerson{jo}}))
	require.Equal(t, "crm custom:  Moved", printer.line(foundItem{Type: "custom", Title: "Moved", Source: "crm"}))
}
