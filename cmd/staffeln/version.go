package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Tells the version of this program.", Long: "Tells the version of this program. It reads no variables.", Example: "  staffeln version", Args: noArguments,
		Run: func(cmd *cobra.Command, _ []string) {
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "staffeln %s (%s %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH) // to a terminal
		},
	}
}
