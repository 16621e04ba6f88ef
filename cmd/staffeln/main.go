// Command staffeln backs up the Cinder volumes of servers that ask for it. Each process is a subcommand: it reads its
// configuration from the environment, refuses a wrong one with all its faults, and runs until it is stopped.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"staffeln/cli"
)

//go:generate go run . config-docs --output ../../docs/configuration.md

// version is set by the linker.
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := cli.Run(ctx, newRoot(), os.Args[1:])
	stop()
	os.Exit(code)
}
