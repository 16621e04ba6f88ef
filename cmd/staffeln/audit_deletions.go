package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"staffeln/db"
	"staffeln/view"
)

// deletionsView is who asked Cinder to delete backups, and what the delete check answered.
type deletionsView struct {
	view.AsOf

	Lines []deletionLine `json:"lines" desc:"who asked for deletions, hour by hour, the newest first"`
}

type deletionLine struct {
	FirstAt   time.Time `json:"first_at" desc:"when it was asked first within the hour, to a few seconds"`
	LastAt    time.Time `json:"last_at" desc:"when it was asked last"`
	Answer    string    `json:"answer" desc:"allowed or refused"`
	Verdict   string    `json:"verdict" desc:"why: on_record, made_by_us, tagged_ours, other_target, no_certificate, other_name; not_ours, own_removal; more: summed without names"`
	Verified  bool      `json:"verified" desc:"the caller presented the client certificate that is demanded; all others are summed without names"`
	BackupID  string    `json:"backup_id" desc:"of the backup that was refused last; \"\": what was allowed, and sums"`
	UserID    string    `json:"user_id" desc:"who asked, as Cinder told; \"\": it told nothing, or the caller is not verified"`
	ProjectID string    `json:"project_id" desc:"of the user's token"`
	Roles     string    `json:"roles" desc:"of the user's token"`
	Asked     int64     `json:"asked" desc:"how often"`
}

func deletionsCommand() *cobra.Command {
	var limit int
	var allowed bool
	c := &cobra.Command{
		Use: "deletions", Short: "Shows who was refused the deletion of backups, hour by hour.",
		Long:    "Cinder asks before it lets somebody delete a backup (docs/cinder.md), but not about administrators.",
		Example: "  staffeln audit deletions\n  staffeln audit deletions --allowed --limit 0 --json", Args: noArguments,
	}
	c.Flags().IntVar(&limit, "limit", 50, "how many lines; 0 = all")
	c.Flags().BoolVar(&allowed, "allowed", false, "also what was allowed, summed by user")
	c.PreRunE = func(*cobra.Command, []string) error {
		if limit < 0 {
			return usageError{fmt.Errorf("read --limit: %d: want 0 (all) or more", limit)}
		}
		return nil
	}
	return showCommand(c, deletionsView{}, func(ctx context.Context, l *db.Look, r view.Reader, _ []string) (answer, error) {
		head, _, err := r.Head(ctx, l)
		if err != nil {
			return nil, err
		}
		head.Warnings = []string{} // what was asked is true whoever leads now
		lines, err := l.DeleteChecks(ctx, allowed, limit)
		return deletionsView{head, view.Each(lines, func(t db.ToldCheck) deletionLine { return deletionLine(t) })}, err
	})
}

func (v deletionsView) draw(s *sheet) {
	drawHead(s, v.AsOf, "Who asked for deletions")
	s.line("")
	if len(v.Lines) == 0 {
		s.line("Nobody so far.")
	}
	for _, l := range v.Lines {
		who := fmt.Sprintf("user %s of project %s (%s)", orUnknown(l.UserID), orUnknown(l.ProjectID), l.Roles)
		if !l.Verified && l.UserID == "" {
			who = "callers without a client certificate"
		}
		s.line("%s  %s  %d x  %s", view.Clock(l.LastAt), s.paint(strong, l.Answer), l.Asked, who)
		s.words("  ", l.Verdict+" "+l.BackupID)
	}
}

func orUnknown(id string) string {
	if id == "" {
		return "unknown"
	}
	return id
}
