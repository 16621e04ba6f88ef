package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"staffeln/db"
	"staffeln/view"
)

// explainView is an explanation, drawn.
type explainView struct{ *view.Explanation }

func explainCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "explain VOLUME", Short: "Explains one volume, by ID or unique name: its policy, its chains, why it is backed up or not, and what comes next.",
		Long: "A chain is drawn as F─I─I: F is a full, I an incremental on what stands left of it; [ ] are under the floor, ~ is\n" +
			"being made or removed, ! failed or can't be removed, ? was taken away by somebody else. Times are UTC.",
		Example:           "  staffeln explain data\n  staffeln explain 3b1c0f0e-8d6e-4c39-a6f5-6f2f6f1d2a10 --json | jq .ahead",
		ValidArgsFunction: cobra.NoFileCompletions,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("read arguments: %d: want one VOLUME, by ID or name; `staffeln status --volumes` lists them", len(args))}
			}
			return nil
		},
	}
	return showCommand(c, new(explainView), func(ctx context.Context, l *db.Look, r view.Reader, args []string) (answer, error) {
		v, err := l.Volume(ctx, args[0])
		if several := new(db.AmbiguousError); errors.As(err, several) {
			return nil, fmt.Errorf("explain volume %s: %w: give the ID; `staffeln status --volumes --json` lists them", args[0], err)
		}
		if errors.Is(err, db.ErrUnknownVolume) {
			return nil, fmt.Errorf("explain volume %s: %w: `staffeln status --volumes` lists those that there are", args[0], err)
		}
		if err != nil {
			return nil, err
		}
		seen, err := r.Explanation(ctx, l, v, view.Stretch{})
		return &explainView{seen}, err
	})
}
