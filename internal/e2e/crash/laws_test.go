package crash

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/invariants"
)

// wanted are the volumes whose newest backup must have come to a good end, whoever died.
var wanted = []string{"new", "incremental", "grown", "adopt", "settle", "throttled", "noparent", "good", "unlisted", "plain", "skewed", "hidden"}

// endless are those whose creation does not end, or not before its deadline.
var endless = []string{"stuck", "deadvolume", "unseen", "mute", "refused", "forced", "jammed"}

// unknown have a backup that no record knows: nobody can look for the tag of the one, and the next sweep gives it a record;
// the record of the other is forgotten, and it is a finding.
var unknown = []string{"gonelost", "foundling"}

// again are those with a backup that was removed, or lost, and that Cinder has again: where the sweep that finds it is killed,
// and fails once more, the report comes before it and tells of a removal.
var again = []string{"reborn", "back"}

// settled answers what is wrong when time has passed: at once, or in a few more looks.
func (r *crashRun) settled(ctx context.Context) (wrong []string, err error) {
	for range 6 {
		if wrong, err = r.wrong(ctx); err != nil || len(wrong) == 0 {
			return wrong, err
		}
		if err := r.leap(ctx, 3*time.Minute); err != nil {
			return wrong, err
		}
		if err := r.rest(ctx); err != nil {
			return append(wrong, err.Error()), nil
		}
	}
	return wrong, nil
}

// wrong is what breaks a law, and what laws do not know of these volumes.
func (r *crashRun) wrong(ctx context.Context) (all []string, err error) {
	w := *r.story.Environment
	w.Ctx, w.Sim, w.Pool, w.LongestStep = ctx, r.sim, r.pool, 0
	facts, now := w.Facts()
	facts.Limits.Seen = slices.Max(course) + time.Hour // nobody looks while the clocks leap, and a worker that died comes back
	for _, v := range append(invariants.Check(facts), invariants.CheckNow(now)...) {
		if v.Invariant == invariants.Orphan && slices.Contains(unknown, r.named(v.Volume)) || v.Invariant == invariants.FalseReport && slices.Contains(again, r.named(v.Volume)) {
			continue
		}
		all = append(all, v.String()+" ("+r.named(v.Volume)+")")
	}
	all = append(all, r.twice()...)
	more, err := r.unfinished(ctx)
	if err != nil {
		return append(all, more...), err
	}
	mails, err := r.mailed(ctx)
	return append(append(all, more...), mails...), err
}

// mailed finds mails that are said to be sent and nobody has, and those that somebody has oftener than a death explains.
func (r *crashRun) mailed(ctx context.Context) (all []string, err error) {
	had := map[string]int{}
	for _, m := range r.box.Inbox() {
		had[m.Header.Get("Message-Id")+" "+m.To]++
	}
	most := 1
	if r.died {
		most = 2
	}
	rows, err := r.pool.Query(ctx, `SELECT message_id, receiver, sent_at IS NOT NULL FROM report_mails`)
	if err != nil {
		return nil, err
	}
	var (
		id, receiver string
		sent         bool
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &receiver, &sent}, func() error {
		n := had["<"+id+"> "+receiver]
		switch {
		case receiver == refusedMail:
		case !sent:
			all = append(all, "a mail to "+receiver+" waits")
		case n < 1 || n > most:
			all = append(all, fmt.Sprintf("%s has a mail %d times", receiver, n))
		}
		return nil
	})
	return all, err
}

// twice finds requests that Cinder carried out twice. One twin was there from the beginning.
func (r *crashRun) twice() (all []string) {
	tags := map[string]string{}
	for _, b := range r.sim.Backups() {
		tags[b.ID] = b.Metadata[backup.TagRecord]
	}
	of := map[string]int{}
	for _, e := range r.sim.Journal() {
		if e.Kind == cloudsim.BackupRequested && e.Volume != r.story.volumes["twin"] && tags[e.Backup] != "" {
			of[tags[e.Backup]]++
		}
	}
	for record, n := range of {
		if n > 1 {
			all = append(all, fmt.Sprintf("Cinder made %d backups for record %s", n, record))
		}
	}
	return all
}

// unfinished finds volumes that somebody holds, that wait for nothing, or that have no restore point.
func (r *crashRun) unfinished(ctx context.Context) ([]string, error) {
	const q = `
		SELECT 'held by ' || lease_kind, id FROM volumes WHERE lease_until > staffeln_now()
		UNION ALL
		SELECT 'is ' || state || ' and waits for nothing', volume_id FROM records
			WHERE state = 'creating' AND project_id <> ALL ($1) AND volume_id <> ALL ($4)
		UNION ALL
		SELECT 'has no restore point', id FROM volumes v WHERE protected AND NOT EXISTS (
			SELECT FROM records r WHERE r.volume_id = v.id AND state = 'available')
		UNION ALL
		SELECT 'its newest backup did not succeed', id FROM volumes v WHERE id = ANY ($2) AND NOT EXISTS (
			SELECT FROM records r WHERE r.volume_id = v.id AND state = 'available' AND planned_at >= $3)`
	s := r.story
	ids := func(names []string) (all []string) {
		for _, name := range names {
			all = append(all, s.volumes[name])
		}
		return all
	}
	rows, err := r.pool.Query(ctx, q, []string{s.projects["paused"], s.projects["closed"], s.projects["shut"]}, ids(wanted), s.asked, ids(endless))
	if err != nil {
		return nil, err
	}
	type fault struct{ What, Volume string }
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[fault])
	if err != nil {
		return nil, err
	}
	var all []string
	for _, f := range found {
		all = append(all, "volume "+r.named(f.Volume)+": "+f.What)
	}
	return all, nil
}

func (r *crashRun) named(volume string) string {
	for name, id := range r.story.volumes {
		if id == volume {
			return name
		}
	}
	return volume
}
