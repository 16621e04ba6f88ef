package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"staffeln/cli"
	"staffeln/internal/config"
)

func configDocsCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "config-docs", Short: "Writes docs/configuration.md from the structs that the processes read.", Hidden: true,
		Long:    "Writes docs/configuration.md from the structs that the processes read. It reads no variables.",
		Example: "  staffeln config-docs --output docs/configuration.md", Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output == "" {
				_, err := fmt.Fprint(cmd.OutOrStdout(), config.Page())
				return err
			}
			if err := os.WriteFile(output, []byte(config.Page()), 0o644); err != nil { //nolint:gosec // documentation is public
				return fmt.Errorf("write %s: %w", output, err)
			}
			return nil
		},
	}
	c.Flags().StringVar(&output, "output", "", "file to write; default: standard output")
	return c
}
