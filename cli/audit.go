package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"staffeln/db"
	"staffeln/view"
)

// auditPage is what operators did.
type auditPage struct {
	view.AsOf

	Lines []auditLine `json:"lines" desc:"operator actions, the newest first"`
}

type auditLine struct {
	At        time.Time `json:"at" desc:"when it began"`
	Who       string    `json:"who" desc:"the person, as the terminal or --who named them"`
	Action    string    `json:"action" desc:"the command"`
	Object    string    `json:"object" desc:"ID of the volume or project; \"\": of pause and resume all projects, of import and a run at once none; in words what confirm-lost confirmed"`
	ProjectID string    `json:"project_id" desc:"of the project; \"\": all"`

	ObjectName  string `json:"object_name" desc:"the object's name at that time; \"\": not known"`
	ProjectName string `json:"project_name" desc:"the project's name at that time; \"\": not known"`

	Intent  string `json:"intent" desc:"what was to be done"`
	Outcome string `json:"outcome" desc:"result; \"\": the command was killed, and how far it got is unknown"`
}

func auditCommand() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "audit", Short: "Shows what operators did: who, when, what, and the result.",
		Long:    "Each command writes its line before it changes anything, and adds the outcome afterwards. A line without an outcome is from a command that was killed.",
		Example: "  staffeln audit\n  staffeln audit --limit 0 --json", Args: NoArguments,
	}
	c.AddCommand(deletionsCommand())
	c.Flags().IntVar(&limit, "limit", 50, "number of lines; 0 = all")
	c.PreRunE = func(*cobra.Command, []string) error { return checkLimit(limit) }
	return pageCommand(c, auditPage{}, func(ctx context.Context, l *db.Snapshot, r view.Reader, _ []string) (page, error) {
		metadata, _, err := r.Metadata(ctx, l)
		if err != nil {
			return nil, err
		}
		metadata.Warnings = []view.Warning{} // the past does not depend on the current leader
		lines, err := l.OperatorActions(ctx, limit)
		return auditPage{metadata, view.Each(lines, func(i db.OperatorAction) auditLine { return auditLine(i) })}, err
	})
}

func (p auditPage) render(w *renderer) {
	renderHead(w, p.AsOf, "What operators did")
	w.line("")
	if len(p.Lines) == 0 {
		w.line("Nothing so far.")
	}
	for _, l := range p.Lines {
		w.line("%s  %s  by %s", view.Clock(l.At), w.colour(strong, l.Action), l.Who)
		w.paragraph("  ", l.Intent)
		outcome := l.Outcome
		if outcome == "" {
			outcome = w.colour(warning, "no outcome: the command was killed; check the volume or project itself")
		}
		w.paragraph("  ", "→ "+outcome)
	}
}
