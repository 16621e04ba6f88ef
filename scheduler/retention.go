package scheduler

import (
	"context"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// goneFor is for how long the backups of a project are left alone after a removal or a plan found the project deleted.
const goneFor = 24 * time.Hour

// Retention finds the volumes that, by our records, have a backup to remove, and
// marks them. The worker checks Cinder before it removes anything.
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
	if err := b.CountDays(ctx); err != nil {
		return err
	}
	s.routine.line(ctx, "retention", b.Now, len(due) > 0).Int("aged", aged).Int("due", len(due)).Msg("retention run finished")
	return b.Done(ctx, db.RetentionRun, b.Now)
}

// removable reports whether, by our records, a backup of the volume can be removed. A lost backup retains nothing: Cinder
// no longer has it, and the backups that it depended on would never be removed.
func (s *Scheduler) removable(b *db.Run, v db.AgedVolume, gone map[string]bool) bool {
	links := map[string][]backup.Link{}
	for _, r := range v.Links {
		if l, ok := r.Link(v.Retention); ok && !gone[r.ProjectID] && r.State != backup.Lost {
			links[r.ProjectID] = append(links[r.ProjectID], l)
		}
	}
	for project, of := range links {
		constraints := backup.ConstraintsOf(project, v.Guard(s.Settings), v.Links)
		if removals, _ := backup.Expired(b.Now, constraints, of); len(removals) > 0 {
			return true
		}
	}
	return false
}
