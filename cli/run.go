// Package cli has the commands that operators type, and what all our command lines share.
package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"staffeln/internal/visible"
)

// Exit codes of every command.
const (
	ExitFailed = 1
	ExitUsage  = 2 // wrong configuration or command line: refused
)

// Run runs one command line of a program and returns the exit code. It prints the error unless that is logged already.
func Run(ctx context.Context, root *cobra.Command, args []string) int {
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if _, logged := errors.AsType[LoggedError](err); !logged {
		_, _ = fmt.Fprintf(root.ErrOrStderr(), "%s: %s\n", root.Name(), visible.Lines(err.Error())) // the exit code reports it too
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
		return UsageError{fmt.Errorf("%w; see %s --help", plainFlagError(err), cmd.CommandPath())}
	})
	root.AddCommand(commands...)
	return root
}

// plainFlagError replaces the words of package strconv in an error about a flag's value.
func plainFlagError(err error) error {
	number, ok := errors.AsType[*strconv.NumError](err)
	if !ok {
		return err
	}
	about, _, _ := strings.Cut(err.Error(), ": strconv.")
	want := "a number"
	if number.Func == "ParseBool" {
		want = "true or false"
	}
	return fmt.Errorf("%s: want %s", about, want)
}

// NoArguments refuses arguments, and suggests a subcommand for a misspelled one.
func NoArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return UsageError{fmt.Errorf("%s takes no arguments, got %.40q; see %[1]s --help", cmd.CommandPath(), args[0])}
	}
	guess := ""
	cmd.SuggestionsMinimumDistance = 2 // edits; cobra sets it only where it prints the guess itself
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		guess = " did you mean " + strings.Join(near, " or ") + "?"
	}
	return UsageError{fmt.Errorf("unknown command %.40q of %s:%s see %[2]s --help", args[0], cmd.CommandPath(), guess)}
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
		statusCommand(), backupsCommand(), explainCommand(), retentionCommand(), auditCommand(), doctorCommand(), reportCommand(), configCommand(),
		backupNowCommand(), cancelCommand(), pauseCommand(), resumeCommand(), purgeProjectCommand(), confirmLostCommand(), importCommand(),
		planCommand(), reconcileCommand(),
		completionCommand(),
	}
}
