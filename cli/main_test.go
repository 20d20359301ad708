package cli_test

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"tidings/cli"
)

// TestMain lets tests run the binary: tidings is this test binary by another
// name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"tidings": func() {
			os.Exit(cli.Main(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
		},
	})
}
