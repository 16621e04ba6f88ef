package main

import (
	"context"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/view"
)

// statusView is protection at a glance, drawn.
type statusView struct{ view.Status }

func statusCommand() *cobra.Command {
	var volumes bool
	c := &cobra.Command{
		Use: "status", Short: "Shows protection at a glance: what is late, what runs, what waits, what failed and who must act.",
		Long:    "The tables show the first ten of each; --json has them all.",
		Example: "  staffeln status\n  staffeln status --volumes\n  staffeln status --json | jq .volumes.late", Args: noArguments,
	}
	c.Flags().BoolVar(&volumes, "volumes", false, "list every volume and how it stands")
	return showCommand(c, statusView{}, func(ctx context.Context, l *db.Look, r view.Reader, _ []string) (answer, error) {
		listed := []backup.Protection{backup.Late}
		if volumes {
			listed = backup.Protections
		}
		seen, err := r.Status(ctx, l, listed)
		return statusView{seen}, err
	})
}
