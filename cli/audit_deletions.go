package cli

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"staffeln/db"
	"staffeln/internal/visible"
	"staffeln/view"
)

// deletionsPage is who asked Cinder to delete backups, and what the delete check returned.
type deletionsPage struct {
	view.AsOf

	Lines []deletionLine `json:"lines" desc:"who asked for deletions, by hour, the newest first"`
}

type deletionLine struct {
	FirstAt   time.Time `json:"first_at" desc:"first request of the hour, to a few seconds"`
	LastAt    time.Time `json:"last_at" desc:"last request of the hour"`
	Outcome   string    `json:"outcome" desc:"allowed or refused"`
	Judgement string    `json:"judgement" desc:"why: on_record, made_by_us, tagged_ours, other_target, no_certificate, other_name; not_ours, own_removal; more: summed without names"`
	Verified  bool      `json:"verified" desc:"the caller presented the required client certificate; all others are summed without names"`
	BackupID  string    `json:"backup_id" desc:"of the last refused backup; \"\": allowed requests, and sums"`
	UserID    string    `json:"user_id" desc:"who asked, according to Cinder; \"\": not known, or the caller is not verified"`
	ProjectID string    `json:"project_id" desc:"of the user's token"`
	Roles     string    `json:"roles" desc:"of the user's token"`
	Asked     int64     `json:"asked" desc:"number of requests"`

	ProjectName string `json:"project_name" desc:"of the user's token; \"\": no volume or backup of it is known"`
	BackupName  string `json:"backup_name" desc:"of the backup; \"\": not known"`
	VolumeID    string `json:"volume_id" desc:"of the backup's volume; \"\": not known"`
	VolumeName  string `json:"volume_name" desc:"its name"`
}

func deletionsCommand() *cobra.Command {
	var limit int
	var allowed bool
	c := &cobra.Command{
		Use: "deletions", Short: "Shows who was refused the deletion of backups, by hour.",
		Long:    "Cinder asks Staffeln before a user may delete a backup (docs/cinder.md), but not for administrators.",
		Example: "  staffeln audit deletions\n  staffeln audit deletions --allowed --limit 0 --json", Args: NoArguments,
	}
	c.Flags().IntVar(&limit, "limit", 50, "number of lines; 0 = all")
	c.Flags().BoolVar(&allowed, "allowed", false, "show also allowed requests, summed by user")
	c.PreRunE = func(*cobra.Command, []string) error { return checkLimit(limit) }
	return pageCommand(c, deletionsPage{}, func(ctx context.Context, l *db.Snapshot, r view.Reader, _ []string) (page, error) {
		metadata, _, err := r.Metadata(ctx, l)
		if err != nil {
			return nil, err
		}
		metadata.Warnings = []view.Warning{} // the past does not depend on the current leader
		lines, err := l.DeleteChecks(ctx, allowed, limit)
		return deletionsPage{metadata, view.Each(lines, func(t db.RecordedCheck) deletionLine { return deletionLine(t) })}, err
	})
}

func (p deletionsPage) render(w *renderer) {
	renderHead(w, p.AsOf, "Who asked for deletions")
	w.line("")
	if len(p.Lines) == 0 {
		w.line("Nobody so far.")
	}
	for _, l := range p.Lines {
		who := fmt.Sprintf("user %s of project %s (%s)", cmp.Or(l.UserID, "unknown"), cmp.Or(visible.Named(l.ProjectName, l.ProjectID), "unknown"), l.Roles)
		if !l.Verified && l.UserID == "" {
			who = "callers without a client certificate"
		}
		w.line("%s  %s  %d x  %s", view.Clock(l.LastAt), w.colour(strong, l.Outcome), l.Asked, who)
		about := ""
		if l.BackupID != "" {
			about = " backup " + visible.Named(l.BackupName, l.BackupID)
		}
		if l.VolumeID != "" {
			about += " of volume " + visible.Named(l.VolumeName, l.VolumeID)
		}
		w.paragraph("  ", l.Judgement+about)
	}
}
