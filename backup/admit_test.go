package backup

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var admissionNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// waiting returns a candidate of project p in zone az whose newest restore point has this age; 0: it has none.
func waiting(id string, point time.Duration, more func(*Candidate)) Candidate {
	c := Candidate{ID: id, ProjectID: "p", Zone: "az", PlannedAt: admissionNow}
	if point != 0 {
		c.LastPointAt = new(admissionNow.Add(-point))
	}
	if more != nil {
		more(&c)
	}
	return c
}

func ofProject(id string) func(*Candidate) { return func(c *Candidate) { c.ProjectID = id } }
func inZone(zone string) func(*Candidate)  { return func(c *Candidate) { c.Zone = zone } }
func forcedFull(c *Candidate)              { c.ForcedFull = true }
func manual(c *Candidate)                  { c.Manual = true }

// creating returns a record that Cinder has been processing since then, with a time limit of six hours.
func creating(project, zone string, since time.Duration, usual *time.Duration) InProgress {
	requested := admissionNow.Add(-since)
	return InProgress{ProjectID: project, Zone: zone, State: Creating, Named: true, RequestedAt: &requested, Deadline: new(requested.Add(6 * time.Hour)), Usual: usual}
}

// notAccepted returns a record that Cinder has not accepted for an hour, for this reason.
func notAccepted(project, zone string, reason Reason) InProgress {
	b := creating(project, zone, time.Hour, nil)
	b.Named, b.Reason, b.UnansweredRequestAt = false, reason, b.RequestedAt
	return b
}

func times[T any](n int, one T) (all []T) {
	for range n {
		all = append(all, one)
	}
	return all
}

func TestAdmit(t *testing.T) {
	t.Parallel()
	hour := time.Hour
	large := []Candidate{
		waiting("large-0", 90*hour, ofProject("large")), waiting("large-1", 89*hour, ofProject("large")), waiting("large-2", 88*hour, ofProject("large")),
		waiting("small-0", 2*hour, ofProject("small")), waiting("small-1", hour, ofProject("small")),
	}
	needs := []Candidate{
		waiting("a-young", hour, nil), waiting("b-old", 48*hour, nil), waiting("c-none", 0, nil), waiting("d-manual-too", time.Minute, manual),
		waiting("e-manual", hour, manual), waiting("f-theirs", 0, ofProject("q")),
	}
	four := []Candidate{waiting("n0", 0, nil), waiting("n1", 0, nil), waiting("n2", 0, nil), waiting("n3", 0, nil)}
	var free []Candidate
	held := []Candidate{waiting("alive-1", 3*hour, nil), waiting("alive-2", 2*hour, nil), waiting("alive-3", hour, nil)}
	for i := range 5 {
		free = append(free, waiting(fmt.Sprint("free-", i), 0, ofProject(fmt.Sprint("q", i))))
		held = append(held, waiting(fmt.Sprint("dead-", i), 0, inZone("dead")), waiting(fmt.Sprint("storm-", i), 0, forcedFull))
	}
	slow := []InProgress{}
	dead := []InProgress{}
	for i := range 5 {
		slow = append(slow, creating(fmt.Sprint("dead-", i), "az", 4*hour, nil))
	}
	for range 3 {
		b := creating("other", "dead", time.Minute, nil)
		b.ForcedFull = true
		dead = append(dead, b)
	}
	usual := new(10 * time.Minute)
	for name, c := range map[string]struct {
		facts     AdmissionFacts
		admitted  []string
		held      map[Held]int
		slow      int
		throttled ThrottleReason
		throttles map[AdmissionScope]Throttle
	}{
		"nobody waits":                            {},
		"without caps all":                        {facts: AdmissionFacts{Waiting: large}, admitted: []string{"large-0", "small-0", "large-1", "small-1", "large-2"}},
		"projects take turns":                     {facts: AdmissionFacts{Caps: Caps{Total: 3}, Waiting: large}, admitted: []string{"large-0", "small-0", "large-1"}, held: map[Held]int{HeldByTotal: 2}},
		"fewer in progress come first":            {facts: AdmissionFacts{Caps: Caps{Total: 2}, Waiting: large, InProgress: []InProgress{creating("large", "az", time.Minute, nil)}}, admitted: []string{"small-0"}, held: map[Held]int{HeldByTotal: 4}},
		"served less lately comes first":          {facts: AdmissionFacts{Caps: Caps{Total: 1}, Waiting: large, Recent: []Recent{{ProjectID: "large", Zone: "az", Ended: 1, Made: 1}}}, admitted: []string{"small-0"}, held: map[Held]int{HeldByTotal: 4}},
		"manual, then without one, then oldest":   {facts: AdmissionFacts{Waiting: needs}, admitted: []string{"e-manual", "f-theirs", "d-manual-too", "c-none", "b-old", "a-young"}},
		"full: nobody":                            {facts: AdmissionFacts{Caps: Caps{Total: 1}, Waiting: four, InProgress: []InProgress{creating("q", "az", time.Minute, nil)}}, held: map[Held]int{HeldByTotal: 4}},
		"cap of the project":                      {facts: AdmissionFacts{Caps: Caps{PerProject: 3}, Waiting: four}, admitted: []string{"n0", "n1", "n2"}, held: map[Held]int{HeldByProject: 1}},
		"cap of the zone":                         {facts: AdmissionFacts{Caps: Caps{PerZone: 3}, Waiting: four}, admitted: []string{"n0", "n1", "n2"}, held: map[Held]int{HeldByZone: 1}},
		"fulls in turn don't count as out of it":  {facts: AdmissionFacts{Caps: Caps{ForcedFull: 1}, Waiting: []Candidate{waiting("s1", 0, forcedFull), waiting("s2", 0, forcedFull), waiting("t1", hour, nil), waiting("t2", hour, nil)}}, admitted: []string{"s1", "t1", "t2"}, held: map[Held]int{HeldByForcedFulls: 1}},
		"what a cap holds back starves no others": {facts: AdmissionFacts{Caps: Caps{PerProject: 2, PerZone: 3, ForcedFull: 3}, Waiting: held, InProgress: dead}, admitted: []string{"alive-1", "alive-2"}, held: map[Held]int{HeldByZone: 5, HeldByForcedFulls: 5, HeldByProject: 1}},
		"three times its usual time is slow":      {facts: AdmissionFacts{Caps: Caps{Total: 2}, Waiting: free, InProgress: []InProgress{creating("x", "az", 31*time.Minute, usual), creating("y", "az", 29*time.Minute, usual)}}, admitted: []string{"free-0"}, held: map[Held]int{HeldByTotal: 4}, slow: 1},
		"without history half of its time is":     {facts: AdmissionFacts{Caps: Caps{Total: 2}, Waiting: free, InProgress: []InProgress{creating("x", "az", 181*time.Minute, nil), creating("y", "az", 179*time.Minute, nil)}}, admitted: []string{"free-0"}, held: map[Held]int{HeldByTotal: 4}, slow: 1},
		"two of five slow count again":            {facts: AdmissionFacts{Caps: Caps{Total: 2, Slow: 3}, Waiting: free, InProgress: slow}, held: map[Held]int{HeldByTotal: 5}, slow: 5},
		"one of five slow counts again":           {facts: AdmissionFacts{Caps: Caps{Total: 2, Slow: 4}, Waiting: free, InProgress: slow}, admitted: []string{"free-0"}, held: map[Held]int{HeldByTotal: 4}, slow: 5},
		"a slow project keeps to its cap":         {facts: AdmissionFacts{Caps: Caps{Total: 4, PerProject: 2}, Waiting: []Candidate{waiting("dead", 0, nil), waiting("alive", 0, ofProject("q"))}, InProgress: times(2, creating("p", "az", 4*hour, nil))}, admitted: []string{"alive"}, held: map[Held]int{HeldByProject: 1}, slow: 2},
		"a slow zone keeps to its cap":            {facts: AdmissionFacts{Caps: Caps{Total: 4, PerZone: 2}, Waiting: []Candidate{waiting("dead", 0, nil), waiting("alive", 0, inZone("b"))}, InProgress: times(2, creating("q", "az", 4*hour, nil))}, admitted: []string{"alive"}, held: map[Held]int{HeldByZone: 1}, slow: 2},
		"no service in a zone":                    {facts: AdmissionFacts{Outage: Outage{Zones: map[string]bool{"dead": true}}, Waiting: []Candidate{waiting("a", 0, inZone("dead")), waiting("b", 0, nil)}}, admitted: []string{"b"}, held: map[Held]int{Held(WhileOutage): 1}, throttled: WhileOutage},
		"no service at all":                       {facts: AdmissionFacts{Outage: Outage{All: true}, Waiting: four}, held: map[Held]int{Held(WhileOutage): 4}, throttled: WhileOutage},
		"throttled": {
			facts: AdmissionFacts{Waiting: four, InProgress: []InProgress{notAccepted("p", "az", Throttled)}}, held: map[Held]int{Held(WhileThrottle): 4}, slow: 1,
			throttles: map[AdmissionScope]Throttle{{Project: "p"}: {Why: WhileThrottle, Held: 4}},
		},
		"away, a probe begins": {
			facts: AdmissionFacts{Waiting: four, InProgress: times(3, notAccepted("p", "az", CinderUnavailable))}, admitted: []string{"n0"}, held: map[Held]int{Held(WhileAway): 3}, slow: 3,
			throttles: map[AdmissionScope]Throttle{{Project: "p", Zone: "az"}: {Why: WhileAway, Held: 3}},
		},
		"two away prove nothing": {facts: AdmissionFacts{Waiting: four, InProgress: times(2, notAccepted("p", "az", CinderUnavailable))}, admitted: []string{"n0", "n1", "n2", "n3"}, slow: 2},
		"failing": {
			facts: AdmissionFacts{Waiting: four, Recent: []Recent{{"p", "az", 5, 5, 0}}}, admitted: []string{"n0"}, held: map[Held]int{Held(WhileFailing): 3},
			throttles: map[AdmissionScope]Throttle{{Project: "p", Zone: "az"}: {Why: WhileFailing, Held: 3}},
		},
		"tenants' failures are no sign": {facts: AdmissionFacts{Waiting: four, Recent: []Recent{{"p", "az", 9, 0, 0}}}, admitted: []string{"n0", "n1", "n2", "n3"}},
		"several projects are the cloud": {
			facts:    AdmissionFacts{Waiting: four, InProgress: []InProgress{notAccepted("a", "az", CinderUnavailable), notAccepted("b", "az", CinderUnavailable), notAccepted("c", "az", Unauthorised)}},
			admitted: []string{"n0"}, held: map[Held]int{Held(WhileAway): 3}, slow: 3, throttled: WhileAway,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := Admit(admissionNow, c.facts)
			assert.Equal(t, c.admitted, a.Admitted)
			for why, n := range c.held {
				assert.Equal(t, n, a.HeldBy(why), why)
			}
			assert.Len(t, c.facts.Waiting, len(a.Admitted)+len(a.Held))
			assert.Equal(t, c.slow, a.Slow)
			assert.Equal(t, c.throttled, a.ThrottleReason)
			assert.Equal(t, c.throttles, a.Throttles)
		})
	}
}

// BenchmarkAdmitManyWaiting admits from a hundred thousand candidates.
func BenchmarkAdmitManyWaiting(b *testing.B) {
	f := AdmissionFacts{Caps: Caps{Total: 2000, PerProject: 10, PerZone: 1900, ForcedFull: 5}}
	for i := range 100_000 {
		f.Waiting = append(f.Waiting, waiting(fmt.Sprintf("%06d", i*7919%100_000), time.Duration(i%977)*time.Minute, ofProject(fmt.Sprint("p", i%300))))
	}
	b.ReportAllocs()
	for b.Loop() {
		if a := Admit(admissionNow, f); len(a.Admitted)+len(a.Held) != len(f.Waiting) {
			b.Fatal("somebody is missing")
		}
	}
}
