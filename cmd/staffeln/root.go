package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "staffeln",
		Short: "Backs up the Cinder volumes of servers whose owners ask for it.",
		Long: "Staffeln backs up the Cinder volumes of servers whose owners ask for it with one metadata key.\n" +
			"The scheduler decides, any number of workers act, Postgres remembers, Redis carries the work.\n\n" +
			"Each command's help lists the variables that it reads; all begin with STAFFELN_, those of the cloud with OS_.",
		Example: "  staffeln scheduler --help\n  . ./openrc && staffeln migrate up && staffeln all",
		Version: version, SilenceUsage: true, SilenceErrors: true,
		Args: noArguments, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	root.AddCommand(
		schedulerCommand(), workerCommand(), apiCommand(), allCommand(), migrateCommand(),
		versionCommand(), configDocsCommand(),
		statusCommand(), backupsCommand(), explainCommand(), retentionCommand(), auditCommand(), doctorCommand(),
		backupNowCommand(), cancelCommand(), pauseCommand(), resumeCommand(), settleCommand(), acceptLossesCommand(), reportCommand(), completionCommand(),
	)
	return root
}

// noArguments refuses arguments as a fault of the command line, and guesses what was meant by a wrong subcommand.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return usageError{fmt.Errorf("read arguments: %.40q: %s takes none; see %[2]s --help", args[0], cmd.CommandPath())}
	}
	guess := ""
	cmd.SuggestionsMinimumDistance = 2 // letters; cobra sets it only where it prints the guess itself
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		guess = " did you mean " + strings.Join(near, " or ") + "?"
	}
	return usageError{fmt.Errorf("read arguments: %.40q is no command of %s:%s see %[2]s --help", args[0], cmd.CommandPath(), guess)}
}
