// Command staffeln backs up the Cinder volumes of servers that ask for it. Each process is a subcommand: it reads its
// configuration from the environment, refuses a wrong one with all its faults, and runs until it is stopped.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

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

func newRoot() *cobra.Command {
	root := cli.Root(&cobra.Command{
		Use: "staffeln", Version: version,
		Short: "Backs up the Cinder volumes of servers whose owners ask for it.",
		Long: "Staffeln backs up the Cinder volumes of servers whose owners ask for it with one metadata key.\n" +
			"The scheduler decides, any number of workers send the requests to Cinder, Postgres holds the records, Redis the queue.\n\n" +
			"Each command's help lists the variables that it reads; all begin with STAFFELN_, those of the cloud with OS_.",
		Example: "  staffeln scheduler --help\n  . ./openrc && staffeln migrate up && staffeln all",
	}, schedulerCommand(), workerCommand(), apiCommand(), allCommand(), migrateCommand(), configDocsCommand(), cli.VersionCommand(version))
	root.AddCommand(cli.Commands()...)
	cli.AddEnvFile(root)
	return root
}
