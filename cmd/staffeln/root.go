package main

import (
	"github.com/spf13/cobra"

	"staffeln/cli"
)

func newRoot() *cobra.Command {
	root := cli.Root(&cobra.Command{
		Use: "staffeln", Version: version,
		Short: "Backs up the Cinder volumes of servers whose owners ask for it.",
		Long: "Staffeln backs up the Cinder volumes of servers whose owners ask for it with one metadata key.\n" +
			"The scheduler decides, any number of workers act, Postgres holds the records, Redis carries the work.\n\n" +
			"Each command's help lists the variables that it reads; all begin with STAFFELN_, those of the cloud with OS_.",
		Example: "  staffeln scheduler --help\n  . ./openrc && staffeln migrate up && staffeln all",
	}, schedulerCommand(), workerCommand(), apiCommand(), allCommand(), migrateCommand(), configDocsCommand(), cli.VersionCommand(version))
	root.AddCommand(cli.Commands()...)
	return root
}
