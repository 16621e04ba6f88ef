package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

// VersionCommand returns the command that prints the version of the program.
func VersionCommand(version string) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Prints the version of this program.", Long: "Prints the version of this program. It reads no variables.",
		Example: "  staffeln version", Args: NoArguments,
		Run: func(cmd *cobra.Command, _ []string) {
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "staffeln %s (%s %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH) // to a terminal
		},
	}
}
