package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"staffeln/internal/config"
)

const envFileFlag = "env-file"

// AddEnvFile gives all commands of a program the flag --env-file.
func AddEnvFile(root *cobra.Command) {
	root.PersistentFlags().String(envFileFlag, "", "file with variables, a NAME=VALUE on each line, or "+config.EnvFileVariable+"; what the environment has already wins\n"+
		"over the file; default: "+config.StandardEnvFile+", if it can be read and no STAFFELN_* or OS_* is set")
}

// Configure reads the configuration of a command from the environment, which the file of --env-file completes. further
// returns faults in variables that are not in cfg, such as those of the cloud. All faults are one [UsageError].
func Configure(cmd *cobra.Command, cfg any, further ...func() error) (config.Source, error) {
	named, err := cmd.Flags().GetString(envFileFlag)
	source, err := config.ReadEnvFile(named, err == nil && cmd.Flags().Changed(envFileFlag), config.StandardEnvFile)
	if err != nil {
		return source, UsageError{fmt.Errorf("configuration refused:\n%w", err)}
	}
	faults := []error{config.Load(os.Environ(), cfg)}
	for _, read := range further {
		faults = append(faults, read())
	}
	if err := errors.Join(faults...); err != nil {
		if source.Hint != "" {
			err = fmt.Errorf("%w\n%s", err, source.Hint)
		}
		return source, UsageError{fmt.Errorf("configuration refused:\n%w", err)}
	}
	return source, nil
}

// configure is Configure for a person at a terminal, who gets a warning about the file on standard error.
func configure(cmd *cobra.Command, cfg any, further ...func() error) (config.Source, error) {
	source, err := Configure(cmd, cfg, further...)
	if warning := source.Warning(); warning != "" {
		_, _ = fmt.Fprintln(cmd.ErrOrStderr(), "WARNING: "+warning) // to a terminal
	}
	return source, err
}
