package view

import (
	"context"
	"fmt"

	"staffeln/db"
)

// PausedWords describes one pause, and how to end it.
func PausedWords(p db.Pause, of db.Project) string {
	if p.DryRun() {
		return fmt.Sprintf("Dry run since %s UTC: backups and removals are planned, and nothing begins. To end it, unset STAFFELN_DRY_RUN and restart schedulers and workers.", Clock(p.Since))
	}
	end := "`staffeln resume`"
	if p.ProjectID != "" {
		end = "`staffeln resume --project " + p.ProjectID + "`"
	}
	return fmt.Sprintf("Paused: %s, since %s UTC by %s%s. Nothing new starts before %s.", of, Clock(p.Since), p.Who, Because(p.Why), end)
}

// anonymous removes who paused it: only operators may see that.
func (r Reader) anonymous(p db.Pause) db.Pause {
	if r.Project != "" {
		p.Who = "the operator"
	}
	return p
}

// pauseOf returns the pause in force for a project; nil if there is none.
func (r Reader) pauseOf(paused db.Pauses, projectID string) *db.Pause {
	p := paused.Of(projectID)
	if p == nil {
		return nil
	}
	return new(r.anonymous(*p))
}

// Because returns the reason in parentheses, if there is one.
func Because(why string) string {
	if why == "" {
		return ""
	}
	return " (" + why + ")"
}

// ProjectOf returns the project with the ID, whether it is known or not.
func ProjectOf(ctx context.Context, l *db.Snapshot, id string) (db.Project, error) {
	if id == "" {
		return db.Project{}, nil
	}
	return l.ProjectNamed(ctx, id)
}
