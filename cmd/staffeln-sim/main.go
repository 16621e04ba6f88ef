// Command staffeln-sim is for trying Staffeln out: a simulated OpenStack, and a demo that runs the real processes around
// one. It is in no image and no package.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"staffeln/cli"
)

// version is set by the linker.
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := cli.Run(ctx, newRoot(), os.Args[1:])
	stop()
	os.Exit(code)
}

func newRoot() *cobra.Command {
	return cli.Root(&cobra.Command{
		Use: "staffeln-sim", Version: version,
		Short:   "Runs a simulated OpenStack, alone or with a demo of Staffeln around it.",
		Long:    "Runs a simulated OpenStack, alone or with a demo of Staffeln around it. Only for development, tests and a first try.",
		Example: "  staffeln-sim demo\n  staffeln-sim cloudsim >openrc & . ./openrc",
	}, cloudsimCommand(), demoCommand())
}
