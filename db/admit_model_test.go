package db

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"staffeln/backup"
)

// planned is a record of the model.
type planned struct {
	candidate
	busy  bool
	point int // hours since the newest restore point; -1: none
}

// admitByTheRule says the rule as plainly as it can be said: as long as
// somebody fits under all caps, of those who fit the one is let in whose
// project has the least in progress, then who has no restore point or the
// oldest, then the first by ID.
func admitByTheRule(all []planned, caps Caps) []string {
	busy := func(like func(planned) bool) (n int) {
		for _, p := range all {
			if p.busy && like(p) {
				n++
			}
		}
		return n
	}
	inProject := func(p planned) int { return busy(func(o planned) bool { return o.ProjectID == p.ProjectID }) }
	fits := func(p planned) bool {
		return !p.busy && (caps.Total == 0 || busy(func(planned) bool { return true }) < caps.Total) &&
			(caps.PerProject == 0 || inProject(p) < caps.PerProject) &&
			(caps.PerZone == 0 || busy(func(o planned) bool { return o.Zone == p.Zone }) < caps.PerZone) &&
			(caps.ForcedFull == 0 || !p.ForcedFull || busy(func(o planned) bool { return o.ForcedFull }) < caps.ForcedFull)
	}
	var admitted []string
	for {
		next := -1
		for i, p := range all {
			if fits(p) && (next < 0 || before(p, all[next], inProject) < 0) {
				next = i
			}
		}
		if next < 0 {
			slices.Sort(admitted)
			return admitted
		}
		all[next].busy = true
		admitted = append(admitted, all[next].ID)
	}
}

func before(p, q planned, inProject func(planned) int) int {
	oldest := func(p planned) int {
		if p.point < 0 {
			return -1 << 30
		}
		return -p.point
	}
	return cmp.Or(cmp.Compare(inProject(p), inProject(q)), cmp.Compare(oldest(p), oldest(q)), strings.Compare(p.ID, q.ID))
}

func drawPlanned(t *rapid.T) []planned {
	all := make([]planned, rapid.IntRange(0, 25).Draw(t, "records"))
	for i := range all {
		all[i] = planned{
			candidate: candidate{
				ID:         fmt.Sprintf("%02d", i),
				ProjectID:  fmt.Sprint("p", rapid.IntRange(0, 3).Draw(t, "project")),
				Zone:       fmt.Sprint("z", rapid.IntRange(0, 2).Draw(t, "zone")),
				ForcedFull: rapid.Bool().Draw(t, "out of turn"),
			},
			busy:  rapid.IntRange(0, 3).Draw(t, "busy") == 0,
			point: rapid.IntRange(-1, 4).Draw(t, "point"),
		}
	}
	return all
}

func drawCaps(t *rapid.T) Caps {
	limit := func(name string) int { return rapid.IntRange(0, 6).Draw(t, name) }
	return Caps{Total: limit("total") * 2, PerProject: limit("per project"), PerZone: limit("per zone"), ForcedFull: limit("fulls")}
}

func TestAdmissionFollowsTheRule(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range 25 {
		h.volume(fmt.Sprintf("v-%02d", i), nil)
	}
	rapid.Check(t, func(rt *rapid.T) {
		h.exec("DELETE FROM records")
		all, caps := drawPlanned(rt), drawCaps(rt)
		var already []string
		for _, p := range all {
			r := row{"volume_id": "v-" + p.ID, "project_id": p.ProjectID, "availability_zone": p.Zone, "forced_full": p.ForcedFull, "state": "planned"}
			if p.point >= 0 {
				r = r.with(age(time.Duration(p.point) * hour))
			}
			if p.busy {
				r["admitted_at"], already = base, append(already, p.ID)
			}
			require.NoError(rt, h.insert("records", plainRecord.with(row{"id": p.ID}).with(r)))
		}
		_, err := h.beat().Admit(h.ctx, caps, backup.Outage{})
		require.NoError(rt, err)
		fresh := slices.DeleteFunc(h.admitted(), func(id string) bool { return slices.Contains(already, id) })
		assert.ElementsMatch(rt, admitByTheRule(all, caps), fresh)
	})
}
