package view

import (
	"context"

	"staffeln/backup"
	"staffeln/db"
)

// RemovalWait is what a removal that is due waits for.
type RemovalWait struct {
	Code     backup.WaitCode `json:"code" desc:"kept, cinder, scheduler, paused, queue, worker, retry or retention; for tenants operator instead of scheduler, queue and worker"`
	Sentence string          `json:"sentence" desc:"the same for people"`
}

// RemovalWaits explains removals that are due: what an installation as a whole may wait for.
type RemovalWaits struct {
	at     AsOf
	paused db.Pauses
}

// RemovalWaits reads what removals may wait for.
func (r Reader) RemovalWaits(ctx context.Context, l *db.Snapshot) (RemovalWaits, error) {
	at, _, err := r.Metadata(ctx, l)
	if err != nil {
		return RemovalWaits{}, err
	}
	paused, err := l.Pauses(ctx)
	return RemovalWaits{at, paused}, err
}

// of returns what the removal of one backup waits for that is due. now has the expiry of the volume's backups.
func (w RemovalWaits) of(v db.Volume, e backup.Expiring, now expiry) RemovalWait {
	f := backup.RemovalFacts{
		Removing: e.Status == backup.StatusDeleting, Kept: !now.expiring, Leads: w.at.stopped != backup.WaitScheduler, Paused: w.paused.Of(e.ProjectID) != nil,
		QueueAway: w.at.stopped == backup.WaitQueue, NoWorker: w.at.stopped == backup.WaitWorker,
		NextTryAt: v.RemovalNextTryAt, Found: v.RemovalDueAt != nil,
	}
	code := f.Wait(w.at.At)
	words := map[backup.WaitCode]string{
		backup.WaitCinder:    "Cinder, which removes it.",
		backup.WaitLink:      now.reason.Sentence(),
		backup.WaitScheduler: "A scheduler: none leads.",
		backup.WaitPause:     "The end of the operator's pause.",
		backup.WaitQueue:     "The queue: Redis does not take tasks.",
		backup.WaitWorker:    "A worker.",
		backup.WaitRetry:     "The next try, at " + MaybeClock(v.RemovalNextTryAt) + ".",
		backup.WaitRetention: "The next retention run.",
	}
	if f.NoWorker && code == backup.WaitWorker {
		words[code] = "A worker: none is alive."
	}
	if shown := w.at.forReader(code); shown != code {
		return RemovalWait{shown, "The operator: Staffeln itself is not working as it should."}
	}
	return RemovalWait{code, words[code]}
}

// ExpiringNow returns what each of a volume's expiring backups waits for; nil: its time has not come.
func (w RemovalWaits) ExpiringNow(v db.Volume, h backup.RetentionInput, forecast []backup.Expiring) []*RemovalWait {
	waits := make([]*RemovalWait, len(forecast))
	var now map[string]expiry
	for i, e := range forecast {
		if e.Due.IsZero() {
			continue
		}
		if now == nil {
			now = expiries(w.at.At, h, nil)
		}
		waits[i] = w.due(v, e, now)
	}
	return waits
}

// due returns what an expiring backup waits for; nil: its time has not come.
func (w RemovalWaits) due(v db.Volume, e backup.Expiring, now map[string]expiry) *RemovalWait {
	if e.Due.IsZero() {
		return nil
	}
	return new(w.of(v, e, now[e.BackupID]))
}
