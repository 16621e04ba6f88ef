package backup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// planned is a record of the model.
type planned struct {
	Candidate

	active bool
	point  int // hours since the newest restore point; -1: none
}

// admitByModel is the reference model of admission. While a record fits under all caps, it admits one of those:
// from the project with the fewest in progress, then without a restore point or with the oldest, then by ID.
func admitByModel(all []planned, caps Caps) []string {
	active := func(like func(planned) bool) (n int) {
		for _, p := range all {
			if p.active && like(p) {
				n++
			}
		}
		return n
	}
	inProject := func(p planned) int { return active(func(o planned) bool { return o.ProjectID == p.ProjectID }) }
	fits := func(p planned) bool {
		return !p.active && (caps.Total == 0 || active(func(planned) bool { return true }) < caps.Total) &&
			(caps.PerProject == 0 || inProject(p) < caps.PerProject) &&
			(caps.PerZone == 0 || active(func(o planned) bool { return o.Zone == p.Zone }) < caps.PerZone) &&
			(caps.ForcedFull == 0 || !p.ForcedFull || active(func(o planned) bool { return o.ForcedFull }) < caps.ForcedFull)
	}
	var admitted []string
	for {
		next := -1
		for i, p := range all {
			if fits(p) && (next < 0 || admittedBefore(p, all[next], inProject) < 0) {
				next = i
			}
		}
		if next < 0 {
			slices.Sort(admitted)
			return admitted
		}
		all[next].active = true
		admitted = append(admitted, all[next].ID)
	}
}

func admittedBefore(p, q planned, inProject func(planned) int) int {
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
			Candidate: Candidate{
				ID:         fmt.Sprintf("%02d", i),
				ProjectID:  fmt.Sprint("p", rapid.IntRange(0, 3).Draw(t, "project")),
				Zone:       fmt.Sprint("z", rapid.IntRange(0, 2).Draw(t, "zone")),
				ForcedFull: rapid.Bool().Draw(t, "forced full"),
			},
			active: rapid.IntRange(0, 3).Draw(t, "active") == 0,
			point:  rapid.IntRange(-1, 4).Draw(t, "point"),
		}
	}
	return all
}

func drawCaps(t *rapid.T) Caps {
	limit := func(name string) int { return rapid.IntRange(0, 6).Draw(t, name) }
	return Caps{Total: limit("total") * 2, PerProject: limit("per project"), PerZone: limit("per zone"), ForcedFull: limit("fulls")}
}

func TestAdmissionMatchesReferenceModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		all := drawPlanned(rt)
		f := AdmissionFacts{Caps: drawCaps(rt)}
		for _, p := range all {
			switch {
			case p.active:
				f.InProgress = append(f.InProgress, InProgress{ProjectID: p.ProjectID, Zone: p.Zone, ForcedFull: p.ForcedFull, State: Planned})
				continue
			case p.point >= 0:
				p.LastPointAt = new(admissionNow.Add(-time.Duration(p.point) * time.Hour))
			}
			f.Waiting = append(f.Waiting, p.Candidate)
		}
		a := Admit(admissionNow, f)
		assert.Len(rt, f.Waiting, len(a.Admitted)+len(a.Held), "each is admitted or held for a reason")
		assert.ElementsMatch(rt, admitByModel(all, f.Caps), a.Admitted)
	})
}
