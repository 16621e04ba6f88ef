package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// completionCommand writes completion scripts for shells.
func completionCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "completion", Short: "Writes the completion script of a shell.",
		Long: "Writes the completion script of a shell, for subcommands, flags and states. It reads no variables.\n\n" +
			"bash (with the package bash-completion), for this shell, or for all:\n" +
			"  source <(staffeln completion bash)\n" +
			"  staffeln completion bash >/etc/bash_completion.d/staffeln\n\n" +
			"zsh (after `autoload -U compinit; compinit`):\n" +
			"  source <(staffeln completion zsh)\n" +
			"  staffeln completion zsh >\"${fpath[1]}/_staffeln\"\n\n" +
			"fish:\n" +
			"  staffeln completion fish | source\n" +
			"  staffeln completion fish >~/.config/fish/completions/staffeln.fish",
		Example: "  source <(staffeln completion bash)", Args: NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return UsageError{fmt.Errorf("which shell: bash, zsh or fish? see %s --help", cmd.CommandPath())}
		},
	}
	for shell, write := range map[string]func(*cobra.Command, io.Writer) error{
		"bash": func(root *cobra.Command, out io.Writer) error { return root.GenBashCompletionV2(out, true) },
		"zsh":  func(root *cobra.Command, out io.Writer) error { return root.GenZshCompletion(out) },
		"fish": func(root *cobra.Command, out io.Writer) error { return root.GenFishCompletion(out, true) },
	} {
		c.AddCommand(&cobra.Command{
			Use: shell, Short: "Writes the completion script for " + shell + ".", Example: "  staffeln completion " + shell, Args: NoArguments,
			ValidArgsFunction: cobra.NoFileCompletions,
			RunE:              func(cmd *cobra.Command, _ []string) error { return write(cmd.Root(), cmd.OutOrStdout()) },
		})
	}
	return c
}
