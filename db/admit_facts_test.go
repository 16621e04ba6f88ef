package db

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// inProgress writes a record that Cinder has been creating for the given time, with a deadline of six hours.
func (h *harness) inProgress(id string, since time.Duration, more row) {
	h.t.Helper()
	h.plan(id, shapes["creating"].with(row{
		"backup_id": "b-" + id, "reason": "", "requested_at": base.Add(-since), "deadline": base.Add(6*hour - since),
	}).with(more))
}

// usually sets how long a backup of that record's volume usually takes.
func (h *harness) usually(id string, duration time.Duration) {
	h.t.Helper()
	h.exec("UPDATE volumes SET usual_duration = $2 WHERE id = $1", "v-"+id, duration)
}

// An outcome is an admission without the admitted records.
type outcome struct {
	admitted, stuck int
	throttles       map[backup.AdmissionScope]backup.Throttle
}

func (h *harness) admission(caps backup.Caps) outcome {
	h.t.Helper()
	a, err := h.run().Admit(h.ctx, caps, backup.Outage{})
	require.NoError(h.t, err)
	return outcome{len(a.Admitted), a.Slow, a.Throttles}
}

func TestBackupFarBeyondItsUsualDurationFreesItsSlot(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.inProgress("slow", 31*time.Minute, row{"project_id": "dead"})
	h.usually("slow", 10*time.Minute)
	h.inProgress("usual", 29*time.Minute, row{"project_id": "alive"})
	h.usually("usual", 10*time.Minute)
	for i := range 3 {
		h.plan(fmt.Sprint(i), row{"project_id": "other"})
	}
	assert.Equal(t, outcome{admitted: 1, stuck: 1}, h.admission(backup.Caps{Total: 2}), "one slot is free: the slow one's")
}

func throttledIn(at backup.AdmissionScope, why backup.ThrottleReason, held int) map[backup.AdmissionScope]backup.Throttle {
	return map[backup.AdmissionScope]backup.Throttle{at: {Why: why, Held: held}}
}

func TestAdmissionBacksOffAndRecovers(t *testing.T) {
	t.Parallel()
	waits := func(reason backup.Reason) row { return shapes["resting"].with(row{"reason": string(reason)}) }
	failed := func(reason backup.Reason) row {
		return row{"state": "failed", "reason": string(reason), "ended_at": base.Add(-time.Minute), "requested_at": base.Add(-hour), "deadline": base.Add(hour)}
	}
	for name, c := range map[string]struct {
		write    func(h *harness)
		want     outcome
		recovery string
		stuck    int // after the recovery
	}{
		"throttled": {
			func(h *harness) { h.plan("w", waits(backup.Throttled)) },
			outcome{throttles: throttledIn(backup.AdmissionScope{Project: "p"}, backup.WhileThrottle, 4), stuck: 1},
			`UPDATE records SET reason = '' WHERE state = 'creating'`, 0,
		},
		"away": {
			func(h *harness) {
				for i := range 3 {
					h.plan(fmt.Sprint("w-", i), waits(backup.CinderUnavailable))
				}
			},
			outcome{admitted: 1, throttles: throttledIn(backup.AdmissionScope{Project: "p", Zone: "az"}, backup.WhileAway, 3), stuck: 3}, // a probe
			`UPDATE records SET reason = '' WHERE id = 'w-1'`, 2,
		},
		"failing": {
			func(h *harness) {
				for i := range 5 {
					h.plan(fmt.Sprint("f-", i), failed(backup.BackupError))
				}
			},
			outcome{admitted: 1, throttles: throttledIn(backup.AdmissionScope{Project: "p", Zone: "az"}, backup.WhileFailing, 3)},
			`UPDATE records SET ended_at = ended_at - interval '10 minutes' WHERE id = 'f-0'`, 0,
		},
		"tenants' failures are no sign": {
			func(h *harness) {
				for i := range 9 {
					h.plan(fmt.Sprint("f-", i), failed(backup.QuotaExceeded))
				}
			},
			outcome{admitted: 4},
			``, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			c.write(h)
			for i := range 4 {
				h.plan(fmt.Sprint("next-", i), nil)
			}
			assert.Equal(t, c.want, h.admission(backup.Caps{}))
			if c.recovery != "" {
				h.exec(c.recovery)
				assert.Equal(t, outcome{admitted: 4 - c.want.admitted, stuck: c.stuck}, h.admission(backup.Caps{}), "it recovers by itself")
			}
		})
	}
}
