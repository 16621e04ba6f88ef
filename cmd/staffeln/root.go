package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "staffeln",
		Short: "Backs up the Cinder volumes of servers whose owners ask for it.",
		Long: "Staffeln backs up the Cinder volumes of servers whose owners ask for it with one metadata key.\n" +
			"The scheduler decides, any number of workers act, Postgres remembers, Redis carries the work.",
		Version: version, SilenceUsage: true, SilenceErrors: true,
		Args: noArguments, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	root.AddCommand(
		schedulerCommand(), workerCommand(), apiCommand(), allCommand(), migrateCommand(), cloudsimCommand(),
		versionCommand(), configDocsCommand(),
	)
	return root
}

// noArguments refuses arguments as a fault of the command line.
func noArguments(cmd *cobra.Command, args []string) error {
	if err := cobra.NoArgs(cmd, args); err != nil {
		return usageError{err}
	}
	return nil
}
