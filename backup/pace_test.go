package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestFarBeyond(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	deadline := began.Add(6 * time.Hour)
	for _, c := range []struct {
		name  string
		usual *time.Duration
		bound time.Duration
	}{
		{"without history: half of its time", nil, 3 * time.Hour},
		{"three times as long as usual", new(20 * time.Minute), time.Hour},
		{"a quick one gets ten minutes", new(time.Second), 10 * time.Minute},
		{"a slow one no more than half of its time", new(2 * time.Hour), 3 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.False(t, FarBeyond(began.Add(c.bound), began, deadline, c.usual))
			assert.True(t, FarBeyond(began.Add(c.bound+1), began, deadline, c.usual))
		})
	}
}

func at(project string) Place { return Place{project, "nova"} }

func one(zone string) map[string]bool { return map[string]bool{zone: true} }

func TestTroubleOfOneProjectHoldsBackThatProjectAlone(t *testing.T) {
	for name, c := range map[string]struct {
		pace  Pace
		limit int
		why   Caution
	}{
		"all well":                          {Pace{InProgress: 15, Made: 200}, -1, NoCaution},
		"throttled once":                    {Pace{InProgress: 15, Throttled: 1, Made: 10}, 0, WhileThrottle},
		"two of two are no proof":           {Pace{InProgress: 2, Unanswered: 2}, -1, NoCaution},
		"three of three wait":               {Pace{InProgress: 3, Unanswered: 3, Newly: 3}, 0, WhileAway},
		"three of three wait for long":      {Pace{InProgress: 3, Unanswered: 3}, 1, WhileAway},
		"three of six wait":                 {Pace{InProgress: 6, Unanswered: 3}, 0, WhileAway},
		"three of seven wait":               {Pace{InProgress: 7, Unanswered: 3}, -1, NoCaution},
		"three of three wait, others began": {Pace{InProgress: 3, Unanswered: 3, Made: 4}, -1, NoCaution},
		"four failed":                       {Pace{Failed: 4}, -1, NoCaution},
		"five failed":                       {Pace{Failed: 5}, 1, WhileFailing},
		"five failed, one was made":         {Pace{Failed: 5, Made: 1}, 1, WhileFailing},
		"eight failed, two were made":       {Pace{Failed: 8, Made: 2}, -1, NoCaution},
	} {
		t.Run(name, func(t *testing.T) {
			b := BrakesOf(map[Place]Pace{at("acme"): c.pace, at("globex"): {}}, one("nova"))
			assert.Equal(t, NoCaution, b.Cloud())
			for range 10 {
				assert.Equal(t, NoCaution, b.Begin(at("globex")))
			}
			began := 0
			for range 3 {
				if b.Begin(at("acme")) == NoCaution {
					began++
				}
			}
			if c.limit < 0 {
				assert.Empty(t, b)
				assert.Equal(t, 3, began)
				return
			}
			assert.Equal(t, c.limit, began)
			assert.Len(t, b, 1)
			for _, brake := range b {
				assert.Equal(t, c.why, brake.Why)
				assert.Contains(t, Cautions, brake.Why)
				assert.Equal(t, 3-c.limit, brake.Held)
			}
		})
	}
}

func TestOnlySeveralProjectsAreTheCloud(t *testing.T) {
	bad, good := Pace{InProgress: 1, Unanswered: 1, Newly: 1}, Pace{Made: 3}
	paces := map[Place]Pace{at("a"): bad, at("b"): bad, at("c"): good}
	assert.Equal(t, NoCaution, BrakesOf(paces, one("nova")).Cloud(), "two projects")
	paces[at("d")] = bad
	assert.Equal(t, WhileAway, BrakesOf(paces, one("nova")).Cloud(), "three of four")
	paces[at("e")], paces[at("f")], paces[at("g")] = good, good, good
	assert.Equal(t, NoCaution, BrakesOf(paces, one("nova")).Cloud(), "three of seven")
}

func TestTroubleOfOneZoneHoldsBackThatZoneAlone(t *testing.T) {
	failing := Pace{Failed: 2}
	paces := map[Place]Pace{at("a"): failing, at("b"): failing, at("c"): failing, {"a", "other"}: {}}
	b := BrakesOf(paces, map[string]bool{"nova": true, "other": true})
	assert.Equal(t, NoCaution, b.Cloud())
	assert.Equal(t, NoCaution, b.Begin(at("d")), "one at a time")
	assert.Equal(t, WhileFailing, b.Begin(at("e")))
	assert.Equal(t, NoCaution, b.Begin(Place{"a", "other"}))
	assert.Equal(t, NoCaution, b.Begin(Place{"a", "other"}))
	paces[Place{"b", "other"}] = failing
	assert.Equal(t, WhileFailing, BrakesOf(paces, map[string]bool{"nova": true, "other": true}).Cloud(), "two zones show it")
}

// Cloud says what holds the whole cloud back.
func (b Brakes) Cloud() Caution {
	if one := b[Place{}]; one != nil {
		return one.Why
	}
	return NoCaution
}
