package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"staffeln/db"
	"staffeln/view"
)

// auditView is what people did by hand.
type auditView struct {
	view.AsOf

	Lines []auditLine `json:"lines" desc:"what was done by hand, the newest first"`
}

type auditLine struct {
	At        time.Time `json:"at" desc:"when it began"`
	Who       string    `json:"who" desc:"the person, as the terminal or --who named them"`
	Action    string    `json:"action" desc:"the command"`
	Object    string    `json:"object" desc:"ID of the volume or project; \"\": all projects"`
	ProjectID string    `json:"project_id" desc:"of the project; \"\": all"`
	Intent    string    `json:"intent" desc:"what was to be done"`
	Outcome   string    `json:"outcome" desc:"what came of it; \"\": nobody knows how far it went"`
}

func auditCommand() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "audit", Short: "Shows what people did by hand: who, when, what, and what came of it.",
		Long:    "A line is written before the deed, its outcome after. A line without one is of a command that died.",
		Example: "  staffeln audit\n  staffeln audit --limit 0 --json", Args: noArguments,
	}
	c.AddCommand(deletionsCommand())
	c.Flags().IntVar(&limit, "limit", 50, "how many lines; 0 = all")
	c.PreRunE = func(*cobra.Command, []string) error {
		if limit < 0 {
			return usageError{fmt.Errorf("read --limit: %d: want 0 (all) or more", limit)}
		}
		return nil
	}
	return showCommand(c, auditView{}, func(ctx context.Context, l *db.Look, r view.Reader, _ []string) (answer, error) {
		head, _, err := r.Head(ctx, l)
		if err != nil {
			return nil, err
		}
		head.Warnings = []string{} // what was done is true whoever leads now
		lines, err := l.Interventions(ctx, limit)
		return auditView{head, view.Each(lines, func(i db.Intervention) auditLine { return auditLine(i) })}, err
	})
}

func (v auditView) draw(s *sheet) {
	drawHead(s, v.AsOf, "What was done by hand")
	s.line("")
	if len(v.Lines) == 0 {
		s.line("Nothing so far.")
	}
	for _, l := range v.Lines {
		s.line("%s  %s  by %s", view.Clock(l.At), s.paint(strong, l.Action), l.Who)
		s.words("  ", l.Intent)
		outcome := l.Outcome
		if outcome == "" {
			outcome = s.paint(careful, "no outcome: it died, look at the object itself")
		}
		s.words("  ", "→ "+outcome)
	}
}
