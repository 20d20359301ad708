// Run starts an Elasticsearch as tests do, but as in earnest, and then a command
// that finds its address in TIDINGS_INDEX:
//
//	go run ./store/elastic/elastictest/run bin/tidings bench elastic
//
// When the command ends, so does Elasticsearch, and its data is removed. It is for
// measurements and for looking around; `make bench-elastic` uses it. With -tests it is one
// as tests start it, which several test binaries then find in TIDINGS_TEST_ELASTIC;
// .ci/unit uses that.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"tidings/store/elastic/elastictest"
)

func main() {
	tests := flag.Bool("tests", false, "start it as tests do, and name it in TIDINGS_TEST_ELASTIC")
	flag.Parse()
	if err := run(*tests, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "run:", err)
		os.Exit(1)
	}
}

func run(tests bool, args []string) error {
	if len(args) == 0 {
		return errors.New("give a command, such as bin/tidings bench elastic")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server, variable := elastictest.Server{Measured: !tests}, "TIDINGS_INDEX"
	if tests {
		variable = "TIDINGS_TEST_ELASTIC"
	}
	url, err := server.Start()
	if err == nil {
		fmt.Fprintln(os.Stderr, "Elasticsearch is at", url)
		command := exec.CommandContext(ctx, args[0], args[1:]...)
		command.Env = append(os.Environ(), variable+"="+url, fmt.Sprint("TIDINGS_INDEX_PID=", server.PID()))
		command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
		command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
		err = command.Run()
	}
	return errors.Join(err, server.Stop())
}
