package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"staffeln/internal/telemetry"
)

// logOnly is the configuration of a process that needs nothing but a log.
type logOnly struct{}

func (*logOnly) LogConfig() telemetry.Config { return telemetry.Config{} }

// A signal may end any step of the start: that is a graceful end. The same error without a signal is a failure.
func TestSignalDuringStartIsAGracefulEnd(t *testing.T) {
	for _, signal := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		c := processCommand(about{name: "scheduler"}, new(logOnly), func(context.Context, *logOnly, dependencies) error {
			if signal {
				cancel()
			}
			return fmt.Errorf("note the service user: %w", context.Canceled)
		})
		root := &cobra.Command{Use: "staffeln", SilenceUsage: true, SilenceErrors: true}
		root.AddCommand(c)
		root.SetArgs([]string{"scheduler"})
		root.SetErr(new(bytes.Buffer))
		err := root.ExecuteContext(ctx)
		cancel()
		require.Equal(t, signal, err == nil, "%v", err)
		require.Equal(t, !signal, errors.Is(err, context.Canceled))
	}
}
