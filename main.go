// Tidings is a self-hosted activity feed for e-mail. See README.md.
package main

import (
	"os"

	"tidings/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
