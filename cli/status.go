package cli

import (
	"context"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/view"
)

// statusPage is a summary of the protection of all volumes.
type statusPage struct{ view.Status }

func statusCommand() *cobra.Command {
	var volumes bool
	c := &cobra.Command{
		Use: "status", Short: "Shows a summary: what is late, in progress, waiting or failed, and who must take action.",
		Long:    "Each table shows the first ten rows; --json has all.",
		Example: "  staffeln status\n  staffeln status --volumes\n  staffeln status --json | jq .volumes.late", Args: NoArguments,
	}
	c.Flags().BoolVar(&volumes, "volumes", false, "list every volume with its protection")
	return pageCommand(c, statusPage{}, func(ctx context.Context, l *db.Snapshot, r view.Reader, _ []string) (page, error) {
		listed := []backup.Protection{backup.Late}
		if volumes {
			listed = backup.Protections
		}
		status, err := r.Status(ctx, l, listed)
		return statusPage{status}, err
	})
}
