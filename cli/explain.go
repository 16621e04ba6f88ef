package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"staffeln/db"
	"staffeln/view"
)

// explainPage is all about one volume.
type explainPage struct{ *view.Explanation }

func explainCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "explain VOLUME|SERVER", Short: "Explains one volume, by ID or unique name: policy, chains, the last decision and what comes next. Or one server: whether it is protected.",
		Long: "A chain is drawn as F─I─I: F is a full, I an incremental on the backup to its left; [ ] are always kept (floor), ~ is\n" +
			"being made or removed, ! failed or cannot be removed, ? was removed by somebody else. Times are UTC.\n" +
			"Of a server it lists the volumes with their protection, and how the server asks for backups. What no plan has seen yet is looked\n" +
			"up in the cloud, if the environment names one (OS_*). For a server --json has:\n" + jsonHelp(serverPage{new(view.ServerProtection)}),
		Example:           "  staffeln explain data\n  staffeln explain 3b1c0f0e-8d6e-4c39-a6f5-6f2f6f1d2a10 --json | jq .ahead",
		ValidArgsFunction: cobra.NoFileCompletions,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return UsageError{errors.New("explain: name one VOLUME or SERVER, by ID or name; `staffeln status --volumes` lists them")}
			}
			return nil
		},
	}
	return withLookup(pageCommand(c, new(explainPage), func(ctx context.Context, l *db.Snapshot, r view.Reader, args []string) (page, error) {
		v, err := l.Volume(ctx, args[0])
		if several := new(db.AmbiguousError); errors.As(err, several) {
			return nil, fmt.Errorf("explain volume %s: %w: use the ID; `staffeln status --volumes --json` lists them", args[0], err)
		}
		if errors.Is(err, db.ErrUnknownVolume) {
			return explainServer(ctx, l, r, args[0])
		}
		if err != nil {
			return nil, err
		}
		explanation, err := r.Explanation(ctx, l, v, view.Stretch{})
		return &explainPage{explanation}, err
	}))
}
