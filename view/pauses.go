package view

import (
	"context"
	"fmt"

	"staffeln/db"
)

// PausedWords says one pause, and how it ends.
func PausedWords(p db.Pause, of db.Project) string {
	end := "`staffeln resume`"
	if p.ProjectID != "" {
		end = "`staffeln resume --project " + p.ProjectID + "`"
	}
	return fmt.Sprintf("Paused: %s, since %s UTC by %s%s. Nothing new starts before %s.", of, Clock(p.Since), p.Who, Because(p.Why), end)
}

// anonymous leaves out who paused it, which is between operators.
func (r Reader) anonymous(p db.Pause) db.Pause {
	if r.Project != "" {
		p.Who = "the operator"
	}
	return p
}

// pauseOf is the pause that holds for a project; nil where none does.
func (r Reader) pauseOf(paused db.Pauses, projectID string) *db.Pause {
	p := paused.Of(projectID)
	if p == nil {
		return nil
	}
	return new(r.anonymous(*p))
}

// Because adds a reason in somebody's words.
func Because(why string) string {
	if why == "" {
		return ""
	}
	return " (" + why + ")"
}

// ProjectOf names a project by its ID, whether it is known or not.
func ProjectOf(ctx context.Context, l *db.Snapshot, id string) (db.Project, error) {
	if id == "" {
		return db.Project{}, nil
	}
	return l.ProjectNamed(ctx, id)
}
