// Package cli has the commands that operators type, and what all our command lines share.
package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"staffeln/internal/visible"
)

// Exit codes of every command.
const (
	ExitFailed = 1
	ExitUsage  = 2 // wrong configuration or command line; nothing was started
)

// Run runs one command line of a program and returns the exit code. It prints the error unless that is logged already.
func Run(ctx context.Context, root *cobra.Command, args []string) int {
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if _, logged := errors.AsType[LoggedError](err); !logged {
		_, _ = fmt.Fprintf(root.ErrOrStderr(), "%s: %s\n", root.Name(), visible.Lines(err.Error())) // the exit code tells it too
	}
	if _, wrong := errors.AsType[UsageError](err); wrong {
		return ExitUsage
	}
	if found, ok := errors.AsType[findingsError](err); ok {
		return found.exitCode()
	}
	return ExitFailed
}

// Root completes the root command of a program with what all of them have in common.
func Root(root *cobra.Command, commands ...*cobra.Command) *cobra.Command {
	root.SilenceUsage, root.SilenceErrors = true, true
	root.Args, root.RunE = NoArguments, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	root.CompletionOptions = cobra.CompletionOptions{HiddenDefaultCmd: true}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return UsageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	root.AddCommand(commands...)
	return root
}

// NoArguments refuses arguments, and suggests a subcommand for a misspelled one.
func NoArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return UsageError{fmt.Errorf("read arguments: %.40q: %s takes none; see %[2]s --help", args[0], cmd.CommandPath())}
	}
	guess := ""
	cmd.SuggestionsMinimumDistance = 2 // letters; cobra sets it only where it prints the guess itself
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		guess = " did you mean " + strings.Join(near, " or ") + "?"
	}
	return UsageError{fmt.Errorf("read arguments: %.40q is no command of %s:%s see %[2]s --help", args[0], cmd.CommandPath(), guess)}
}

// LoggedError is an error that is already in the log of its process.
type LoggedError struct{ Cause error }

func (e LoggedError) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e LoggedError) Unwrap() error { return e.Cause }

// UsageError is a fault of a command line or a configuration.
type UsageError struct{ Cause error }

func (e UsageError) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e UsageError) Unwrap() error { return e.Cause }

// Commands returns the commands that operators type.
func Commands() []*cobra.Command {
	return []*cobra.Command{
		statusCommand(), backupsCommand(), explainCommand(), retentionCommand(), auditCommand(), doctorCommand(), reportCommand(),
		backupNowCommand(), cancelCommand(), pauseCommand(), resumeCommand(), purgeProjectCommand(), confirmLostCommand(),
		completionCommand(),
	}
}
