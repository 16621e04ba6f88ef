package scheduler

import (
	"context"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// goneFor is how long what a project that is gone left is not looked at again.
const goneFor = 24 * time.Hour

// Retention finds the volumes of which, by our records, something may be
// removed, and marks them; the worker looks at Cinder before it removes.
func (s *Scheduler) Retention(ctx context.Context, b *db.Run) error {
	if err := b.ForgetProjects(ctx, b.Now.Add(-2*goneFor)); err != nil {
		return err
	}
	gone, err := b.Gone(ctx, b.Now.Add(-goneFor))
	if err != nil {
		return err
	}
	aged := 0
	var due []string
	for v, err := range b.Aged(ctx) {
		if err != nil {
			return err
		}
		aged++
		if s.removable(b, v, gone) {
			due = append(due, v.ID)
		}
	}
	if err := b.RemovalDue(ctx, due); err != nil {
		return err
	}
	if err := s.recordEnds(ctx, b, true); err != nil {
		return err
	}
	if err := s.countFindings(ctx, b); err != nil {
		return err
	}
	s.routine.line(ctx, "retention", b.Now, len(due) > 0).Int("aged", aged).Int("due", len(due)).Msg("retention run finished")
	return b.Done(ctx, db.RetentionBeat, b.Now)
}

// removable tells whether something of a volume may go by our records. What is lost keeps nothing: Cinder has it no
// longer, and what it stood on would stay for ever.
func (s *Scheduler) removable(b *db.Run, v db.AgedVolume, gone map[string]bool) bool {
	links := map[string][]backup.Link{}
	for _, r := range v.Links {
		if l, ok := r.Link(v.Retention); ok && !gone[r.ProjectID] && r.State != backup.Lost {
			links[r.ProjectID] = append(links[r.ProjectID], l)
		}
	}
	for project, of := range links {
		keeping := backup.ConstraintsOf(project, v.Guard(s.Settings), v.Links)
		if removals, _ := backup.Expired(b.Now, keeping, of); len(removals) > 0 {
			return true
		}
	}
	return false
}
