// Command staffeln backs up the Cinder volumes of servers that ask for it. Each subcommand is one process: it reads its
// configuration from the environment, refuses a wrong one with all its faults, and runs until it is told to stop.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"staffeln/internal/visible"
)

//go:generate go run . config-docs --output ../../docs/configuration.md

// version is set by the linker.
var version = "unknown"

const (
	exitFailed = 1
	exitConfig = 2 // a wrong configuration or command line: nothing was started
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// A second signal ends the process at once: the first one's handler is gone by then.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run runs one command line and answers its exit code.
func run(ctx context.Context, args []string) int {
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if _, logged := errors.AsType[loggedError](err); !logged {
		_, _ = fmt.Fprintf(root.ErrOrStderr(), "staffeln: %s\n", visible.Lines(err.Error())) // the exit code says it too
	}
	if _, wrong := errors.AsType[usageError](err); wrong {
		return exitConfig
	}
	if found, ok := errors.AsType[findingsError](err); ok {
		return found.exitCode()
	}
	return exitFailed
}

// loggedError ended a process, and is the last line of its log.
type loggedError struct{ cause error }

func (e loggedError) Error() string { return e.cause.Error() }

func (e loggedError) Unwrap() error { return e.cause }

// usageError is the fault of a command line or a configuration.
type usageError struct{ cause error }

func (e usageError) Error() string { return e.cause.Error() }

func (e usageError) Unwrap() error { return e.cause }
