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

// mustSucceed are the volumes whose newest backup must succeed, whichever process dies.
var mustSucceed = []string{"new", "incremental", "grown", "adopt", "dropped", "throttled", "noparent", "good", "unlisted", "plain", "skewed", "hidden"}

// unending are the volumes whose creation does not end, or not before its deadline.
var unending = []string{"stuck", "deadvolume", "unseen", "mute", "refused", "forced", "jammed"}

// unrecorded are the volumes with a backup that no record names. For gonelost the tag cannot be read, and the next
// reconcile run creates a record. For foundling the record is forgotten, and the backup is a finding.
var unrecorded = []string{"gonelost", "foundling"}

// reappeared are the volumes with a backup that was removed or lost and is in Cinder again. If the reconcile run that finds it
// is killed and then fails once more, the report is sent before it and mentions a removal.
var reappeared = []string{"reborn", "back"}

// finalViolations returns the violations that are left at the end. Up to six times it advances the clocks and checks again.
func (r *crashRun) finalViolations(ctx context.Context) (wrong []string, err error) {
	for range 6 {
		if wrong, err = r.violations(ctx); err != nil || len(wrong) == 0 {
			return wrong, err
		}
		if err := r.advance(ctx, 3*time.Minute); err != nil {
			return wrong, err
		}
		if err := r.waitIdle(ctx); err != nil {
			return append(wrong, err.Error()), nil
		}
	}
	return wrong, nil
}

// violations returns violated invariants, and problems that the invariants do not cover.
func (r *crashRun) violations(ctx context.Context) (all []string, err error) {
	w := *r.scenario.Environment
	w.Ctx, w.Sim, w.Pool, w.LongestStep = ctx, r.sim, r.pool, 0
	facts, now := w.Facts()
	facts.Limits.Seen = slices.Max(clockSteps) + time.Hour // no run is due while the clocks advance, and a killed worker is restarted
	for _, v := range append(invariants.Check(facts), invariants.CheckNow(now)...) {
		if v.Invariant == invariants.Orphan && slices.Contains(unrecorded, r.volumeName(v.Volume)) || v.Invariant == invariants.FalseReport && slices.Contains(reappeared, r.volumeName(v.Volume)) {
			continue
		}
		all = append(all, v.String()+" ("+r.volumeName(v.Volume)+")")
	}
	all = append(all, r.duplicates()...)
	more, err := r.unfinished(ctx)
	if err != nil {
		return append(all, more...), err
	}
	mails, err := r.wrongMails(ctx)
	return append(append(all, more...), mails...), err
}

// wrongMails returns mails that are recorded as sent and did not arrive, and mails that arrived more often than one crash
// explains.
func (r *crashRun) wrongMails(ctx context.Context) (all []string, err error) {
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
		case receiver == unknownReceiver:
		case !sent:
			all = append(all, "a mail to "+receiver+" waits")
		case n < 1 || n > most:
			all = append(all, fmt.Sprintf("%s has a mail %d times", receiver, n))
		}
		return nil
	})
	return all, err
}

// duplicates returns requests that Cinder executed twice, except for the volume "twin", whose duplicate belongs to the
// scenario.
func (r *crashRun) duplicates() (all []string) {
	tags := map[string]string{}
	for _, b := range r.sim.Backups() {
		tags[b.ID] = b.Metadata[backup.TagRecord]
	}
	of := map[string]int{}
	for _, e := range r.sim.Journal() {
		if e.Kind == cloudsim.BackupRequested && e.Volume != r.scenario.volumes["twin"] && tags[e.Backup] != "" {
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

// unfinished returns volumes that are leased, have a record that waits for nothing, or have no restore point.
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
	s := r.scenario
	ids := func(names []string) (all []string) {
		for _, name := range names {
			all = append(all, s.volumes[name])
		}
		return all
	}
	rows, err := r.pool.Query(ctx, q, []string{s.projects["paused"], s.projects["closed"], s.projects["shut"]}, ids(mustSucceed), s.asked, ids(unending))
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
		all = append(all, "volume "+r.volumeName(f.Volume)+": "+f.What)
	}
	return all, nil
}

func (r *crashRun) volumeName(volume string) string {
	for name, id := range r.scenario.volumes {
		if id == volume {
			return name
		}
	}
	return volume
}
