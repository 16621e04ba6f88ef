package db

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// busy writes a record that Cinder has been making for some time, with six hours for it.
func (h *house) busy(id string, since time.Duration, more row) {
	h.t.Helper()
	h.plan(id, shapes["creating"].with(row{
		"backup_id": "b-" + id, "reason": "", "requested_at": base.Add(-since), "deadline": base.Add(6*hour - since),
	}).with(more))
}

// took writes a success of that record's volume that took so long.
func (h *house) took(id string, duration time.Duration) {
	h.t.Helper()
	p := point("done-"+id, 30*hour)
	h.record("done-"+id, p.with(row{"volume_id": "v-" + id, "requested_at": base.Add(-30 * hour), "ended_at": base.Add(-30*hour + duration)}))
}

func (h *house) admission(caps Caps, outage backup.Outage) Admission {
	h.t.Helper()
	a, err := h.beat().Admit(h.ctx, caps, outage)
	require.NoError(h.t, err)
	return a
}

func TestWhatIsFarBeyondItsUsualTimeLeavesItsPlaceToOthers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.busy("slow", 31*time.Minute, row{"project_id": "dead"})
	h.took("slow", 10*time.Minute)
	h.busy("usual", 29*time.Minute, row{"project_id": "alive"})
	h.took("usual", 10*time.Minute)
	for i := range 3 {
		h.plan(fmt.Sprint(i), row{"project_id": "other"})
	}
	assert.Equal(t, Admission{Admitted: 1, Stuck: 1}, h.admission(Caps{Total: 2}, backup.Outage{}), "one place is free: the slow one's")
}

func TestWithoutHistoryHalfOfItsTimeIsUsual(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.busy("slow", 181*time.Minute, nil)
	h.busy("usual", 179*time.Minute, nil)
	h.plan("next", row{"project_id": "other"})
	assert.Equal(t, Admission{Admitted: 1, Stuck: 1}, h.admission(Caps{Total: 2}, backup.Outage{}))
}

func TestTheStuckHaveACapOfTheirOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range 5 {
		h.busy(fmt.Sprint("slow-", i), 4*hour, row{"project_id": fmt.Sprint("dead-", i)})
		h.plan(fmt.Sprint("next-", i), nil)
	}
	assert.Equal(t, Admission{Stuck: 5}, h.admission(Caps{Total: 2, Stuck: 3}, backup.Outage{}), "two of the five count among all again")
	assert.Equal(t, Admission{Admitted: 1, Stuck: 5}, h.admission(Caps{Total: 2, Stuck: 4}, backup.Outage{}))
	assert.Equal(t, Admission{Admitted: 1, Stuck: 5}, h.admission(Caps{Total: 2, Stuck: 0}, backup.Outage{}), "no cap on the stuck: one of the two places was taken")
}

// A project whose backend hangs keeps to its own places; the others go on.
func TestAStuckProjectKeepsItsOwnCap(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]struct {
		of   row
		caps Caps
	}{
		"project": {row{"project_id": "dead"}, Caps{Total: 4, PerProject: 2, Stuck: 10}},
		"zone":    {row{"availability_zone": "dead"}, Caps{Total: 4, PerZone: 2, Stuck: 10}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			for i := range 2 {
				h.busy(fmt.Sprint("slow-", i), 4*hour, place.of)
			}
			h.plan("dead", place.of)
			h.plan("alive", row{"project_id": "alive", "availability_zone": "alive"})
			assert.Equal(t, []string{"alive"}, h.admit(place.caps))
		})
	}
}

func TestWhereNoServiceIsUpNothingBegins(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.plan("a", row{"availability_zone": "dead"})
	h.plan("b", row{"availability_zone": "alive"})
	dead := backup.Outage{Zones: map[string]bool{"dead": true}}
	assert.Equal(t, Admission{Admitted: 1, HeldBack: 1, Caution: backup.WhileOutage}, h.admission(Caps{}, dead))
	assert.Equal(t, []string{"b"}, h.admitted())
	assert.Equal(t, Admission{HeldBack: 1, Caution: backup.WhileOutage}, h.admission(Caps{}, backup.Outage{All: true}))
	assert.Equal(t, Admission{Admitted: 1}, h.admission(Caps{}, backup.Outage{}), "it recovers by itself")
}

func braked(at backup.Place, why backup.Caution, held int) map[backup.Place]backup.Brake {
	return map[backup.Place]backup.Brake{at: {Why: why, Held: held}}
}

func TestAdmissionBacksOffAndRecovers(t *testing.T) {
	t.Parallel()
	waits := func(reason backup.Reason) row { return shapes["resting"].with(row{"reason": string(reason)}) }
	failed := func(reason backup.Reason) row {
		return row{"state": "failed", "reason": string(reason), "ended_at": base.Add(-time.Minute), "requested_at": base.Add(-hour), "deadline": base.Add(hour)}
	}
	for name, c := range map[string]struct {
		write func(h *house)
		want  Admission
		mend  string
		stuck int // once it does well
	}{
		"throttled": {
			func(h *house) { h.plan("w", waits(backup.Throttled)) },
			Admission{Brakes: braked(backup.Place{Project: "p"}, backup.WhileThrottle, 4), Stuck: 1},
			`UPDATE records SET reason = '' WHERE state = 'creating'`, 0,
		},
		"away": {
			func(h *house) {
				for i := range 3 {
					h.plan(fmt.Sprint("w-", i), waits(backup.CinderUnavailable))
				}
			},
			Admission{Admitted: 1, Brakes: braked(backup.Place{Project: "p", Zone: "az"}, backup.WhileAway, 3), Stuck: 3}, // a probe
			`UPDATE records SET reason = '' WHERE id = 'w-1'`, 2,
		},
		"failing": {
			func(h *house) {
				for i := range 5 {
					h.plan(fmt.Sprint("f-", i), failed(backup.BackupError))
				}
			},
			Admission{Admitted: 1, Brakes: braked(backup.Place{Project: "p", Zone: "az"}, backup.WhileFailing, 3)},
			`UPDATE records SET ended_at = ended_at - interval '10 minutes' WHERE id = 'f-0'`, 0,
		},
		"tenants' failures are no sign": {
			func(h *house) {
				for i := range 9 {
					h.plan(fmt.Sprint("f-", i), failed(backup.QuotaExceeded))
				}
			},
			Admission{Admitted: 4},
			``, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			c.write(h)
			for i := range 4 {
				h.plan(fmt.Sprint("next-", i), nil)
			}
			assert.Equal(t, c.want, h.admission(Caps{}, backup.Outage{}))
			if c.mend != "" {
				h.exec(c.mend)
				assert.Equal(t, Admission{Admitted: 4 - c.want.Admitted, Stuck: c.stuck}, h.admission(Caps{}, backup.Outage{}), "it recovers by itself")
			}
		})
	}
}
