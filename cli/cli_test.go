package cli

import (
	"bytes"
	"testing"

	"github.com/spf13/cobra"
)

func newRoot() *cobra.Command {
	return Root(&cobra.Command{Use: "staffeln"}, append(Commands(), VersionCommand("test"))...)
}

// command runs a command line and returns what it printed.
func command(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, fault bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	root.SetErr(&fault)
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return out.String(), fault.String(), err
}

func exitCode(t *testing.T, args ...string) int {
	t.Helper()
	return Run(t.Context(), newRoot(), args)
}
