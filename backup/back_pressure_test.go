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

func at(project string) AdmissionScope { return AdmissionScope{project, "nova"} }

func one(zone string) map[string]bool { return map[string]bool{zone: true} }

func TestTroubleOfOneProjectThrottlesOnlyThatProject(t *testing.T) {
	for name, c := range map[string]struct {
		pressure BackPressure
		limit    int
		why      ThrottleReason
	}{
		"all well":                          {BackPressure{InProgress: 15, Made: 200}, -1, NotThrottled},
		"throttled once":                    {BackPressure{InProgress: 15, Throttled: 1, Made: 10}, 0, WhileThrottle},
		"two of two are no proof":           {BackPressure{InProgress: 2, Unanswered: 2}, -1, NotThrottled},
		"three of three wait":               {BackPressure{InProgress: 3, Unanswered: 3, Newly: 3}, 0, WhileAway},
		"three of three wait for long":      {BackPressure{InProgress: 3, Unanswered: 3}, 1, WhileAway},
		"three of six wait":                 {BackPressure{InProgress: 6, Unanswered: 3}, 0, WhileAway},
		"three of seven wait":               {BackPressure{InProgress: 7, Unanswered: 3}, -1, NotThrottled},
		"three of three wait, others began": {BackPressure{InProgress: 3, Unanswered: 3, Made: 4}, -1, NotThrottled},
		"four failed":                       {BackPressure{Failed: 4}, -1, NotThrottled},
		"five failed":                       {BackPressure{Failed: 5}, 1, WhileFailing},
		"five failed, one was made":         {BackPressure{Failed: 5, Made: 1}, 1, WhileFailing},
		"eight failed, two were made":       {BackPressure{Failed: 8, Made: 2}, -1, NotThrottled},
	} {
		t.Run(name, func(t *testing.T) {
			b := ThrottlesOf(map[AdmissionScope]BackPressure{at("acme"): c.pressure, at("globex"): {}}, one("nova"))
			assert.Equal(t, NotThrottled, b.Cloud())
			for range 10 {
				assert.Equal(t, NotThrottled, b.Begin(at("globex")))
			}
			began := 0
			for range 3 {
				if b.Begin(at("acme")) == NotThrottled {
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
			for _, throttle := range b {
				assert.Equal(t, c.why, throttle.Why)
				assert.Contains(t, ThrottleReasons, throttle.Why)
				assert.Equal(t, 3-c.limit, throttle.Held)
			}
		})
	}
}

func TestCloudIsThrottledOnlyBySeveralProjects(t *testing.T) {
	bad, good := BackPressure{InProgress: 1, Unanswered: 1, Newly: 1}, BackPressure{Made: 3}
	pressures := map[AdmissionScope]BackPressure{at("a"): bad, at("b"): bad, at("c"): good}
	assert.Equal(t, NotThrottled, ThrottlesOf(pressures, one("nova")).Cloud(), "two projects")
	pressures[at("d")] = bad
	assert.Equal(t, WhileAway, ThrottlesOf(pressures, one("nova")).Cloud(), "three of four")
	pressures[at("e")], pressures[at("f")], pressures[at("g")] = good, good, good
	assert.Equal(t, NotThrottled, ThrottlesOf(pressures, one("nova")).Cloud(), "three of seven")
}

func TestTroubleOfOneZoneThrottlesOnlyThatZone(t *testing.T) {
	failing := BackPressure{Failed: 2}
	pressures := map[AdmissionScope]BackPressure{at("a"): failing, at("b"): failing, at("c"): failing, {"a", "other"}: {}}
	b := ThrottlesOf(pressures, map[string]bool{"nova": true, "other": true})
	assert.Equal(t, NotThrottled, b.Cloud())
	assert.Equal(t, NotThrottled, b.Begin(at("d")), "one at a time")
	assert.Equal(t, WhileFailing, b.Begin(at("e")))
	assert.Equal(t, NotThrottled, b.Begin(AdmissionScope{"a", "other"}))
	assert.Equal(t, NotThrottled, b.Begin(AdmissionScope{"a", "other"}))
	pressures[AdmissionScope{"b", "other"}] = failing
	assert.Equal(t, WhileFailing, ThrottlesOf(pressures, map[string]bool{"nova": true, "other": true}).Cloud(), "two zones show it")
}

// Cloud returns why the whole cloud is throttled.
func (b Throttles) Cloud() ThrottleReason {
	if one := b[AdmissionScope{}]; one != nil {
		return one.Why
	}
	return NotThrottled
}
