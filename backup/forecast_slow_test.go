package backup

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// slowForecast is the definition of a forecast, link by link: Expired at every moment at which its result changes,
// until it changes no more.
func slowForecast(h RetentionInput, now, until time.Time) (expiring []Expiring, kept []Kept) {
	links := h.Links()
	for _, project := range slices.Sorted(maps.Keys(links)) {
		g, k := slowForecastOf(h, now, until, project, links[project])
		expiring, kept = append(expiring, g...), append(kept, k...)
	}
	slices.SortStableFunc(expiring, func(a, b Expiring) int { return a.At.Compare(b.At) })
	return expiring, kept
}

func slowForecastOf(h RetentionInput, at, until time.Time, project string, links []Link) (expiring []Expiring, kept []Kept) {
	k := h.constraints(project)
	shortens, waiting := h.Shortened()
	waiting = waiting && project == h.ProjectID
	links, expiring = assumeFinished(at, links)
	for {
		if waiting && !at.Before(shortens) {
			waiting = false
			h.Retention.InForce = *h.Retention.Shorter
			for i := range links {
				r := slices.IndexFunc(h.Records, func(r Record) bool { return r.ID == links[i].RecordID })
				links[i].Retention = h.Retention.For(h.Records[r])
			}
		}
		var removals []Removal
		removals, kept = Expired(at, k, links)
		for _, r := range removals {
			expiring = append(expiring, Expiring{Link: r.Link, At: at, Reason: r.Reason})
			links = slices.DeleteFunc(links, func(l Link) bool { return l.BackupID == r.BackupID })
		}
		if len(removals) > 0 {
			continue // its parent may expire at the same moment
		}
		var next time.Time
		for _, k := range kept {
			if k.Until.After(at) && (next.IsZero() || k.Until.Before(next)) {
				next = k.Until
			}
		}
		if waiting && (next.IsZero() || shortens.Before(next)) {
			next = shortens
		}
		if next.IsZero() || next.After(until) {
			return expiring, kept
		}
		at = next
	}
}

var anyHeld = historyOf(
	strings.Fields("F F F I I I I I Fe Ie Fu Iu Fd Id Fq Iq Fl Il Fr Ir Fz Iz Fc Ic Ip Fp Fx Iw"),
	strings.Fields("30d 29d 28d 20d 18d 17d 17d 16d 10d 7d 7d 6d 5d 4d 3d 2d 1d 1h 1h 0s"))

// anyRetentionInput returns a history in which Cinder's clock may have been wrong. The volume may be protected or
// not, may have been transferred, and may wait for a shorter retention.
func anyRetentionInput(t *testing.T, r *rapid.T) RetentionInput {
	h := RetentionInput{
		Guard: Guard{
			ProjectID: rapid.SampledFrom([]string{"A", "A", "A", "B", "C"}).Draw(r, "project"),
			Protected: rapid.Bool().Draw(r, "protected"), Floor: rapid.IntRange(0, 3).Draw(r, "floor"), Ends: map[string]time.Time{},
		},
		Delay: time.Duration(rapid.IntRange(0, 10).Draw(r, "delay")) * 24 * time.Hour, Records: records(t, anyHeld.Draw(r, "history")),
	}
	day := func(label string) time.Duration {
		return time.Duration(rapid.IntRange(-40, 40).Draw(r, label)) * 12 * time.Hour
	}
	if rapid.Bool().Draw(r, "ended") {
		h.Grace = time.Duration(rapid.IntRange(0, 20).Draw(r, "grace")) * 24 * time.Hour
		h.Ends["A"], h.Ends["B"] = now.Add(-day("end of A").Abs()), now.Add(-day("end of B").Abs())
	}
	if rapid.Bool().Draw(r, "retained") {
		h.Retention = Retention{Owner: h.ProjectID, InForce: period(rapid.SampledFrom([]string{"3d", "1w", "1mon", "5w"}).Draw(r, "in force")), Source: FromMetadata}
		if rapid.Bool().Draw(r, "transferred") {
			h.Retention.Since = new(now.Add(day("transferred")))
		}
		if rapid.Bool().Draw(r, "shorter waits") {
			h.Retention.Shorter = new(period(rapid.SampledFrom([]string{"1d", "5d", "30d"}).Draw(r, "shorter")))
			h.Retention.ShorterSince = now.Add(-day("shorter since").Abs())
			if rapid.Bool().Draw(r, "seen") {
				h.Retention.ShorterSeen, h.Retention.ShorterSeenAt = h.Delay/2, now
			}
		}
	}
	if rapid.Bool().Draw(r, "Cinder's clock was wrong") {
		for i := range h.Records {
			if o := &h.Records[i]; o.DataTimestamp != nil && rapid.Bool().Draw(r, "wrong") {
				o.CinderTimestamp = new(o.DataTimestamp.Add(day("by")))
			}
		}
	}
	if rapid.IntRange(0, 3).Draw(r, "others build on ours") == 0 {
		for i := range h.Records {
			if o := &h.Records[i]; o.State == Available && rapid.IntRange(0, 3).Draw(r, "held") == 0 {
				o.RemovalReason = ForeignDependent
			}
		}
	}
	return h
}

func TestForecastEqualsExpiredAtEveryMoment(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := anyRetentionInput(t, r)
		until := now.Add(time.Duration(rapid.IntRange(-1, 120).Draw(r, "days")) * 12 * time.Hour)
		expiring, kept := h.Forecast(now, until)
		want, retained := slowForecast(h, now, until)
		require.Equal(r, formatForecast(want, slices.Clone(retained)), formatForecast(expiring, slices.Clone(kept)))
		for i := range expiring {
			require.False(r, expiring[i].At.After(now) && !expiring[i].Due.IsZero(), "only what is due has a time since when")
			want[i].Due = expiring[i].Due
		}
		require.Equal(r, want, expiring)
		require.Equal(r, retained, kept)
	})
}

// The forecast for a year of hourly restore points is fast, also if Cinder's clock was wrong for a month; and it
// stops when the client is gone.
func TestForecastOfALongHistory(t *testing.T) {
	for name, wrong := range map[string]time.Duration{"clock right": 0, "clock ahead": 60 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			h := yearOf(8760)
			for i := 3000; i < 3720; i++ {
				h.Records[i].CinderTimestamp = new(h.Records[i].DataTimestamp.Add(wrong))
			}
			runs := testing.AllocsPerRun(1, func() {
				expiring, kept := h.Forecast(now, now.AddDate(2, 0, 0))
				require.Len(t, expiring, 8757)
				require.Len(t, kept, 3)
			})
			require.Less(t, runs, 100_000.0, "allocations: chains were read again and again")
		})
	}
	h, done := yearOf(8760), make(chan struct{})
	close(done)
	h.Done = done
	expiring, _ := h.Forecast(now, now.AddDate(2, 0, 0))
	require.Empty(t, expiring)
}

// yearOf returns a protected volume with n hourly restore points and a retention of a year.
func yearOf(n int) RetentionInput {
	h := RetentionInput{Guard: Guard{ProjectID: "A", Protected: true, Floor: 1}}
	for i := range n {
		at := now.Add(time.Duration(i-n) * time.Hour)
		kind := Incremental
		if i%3 == 0 {
			kind = Full
		}
		h.Records = append(h.Records, Record{
			ID: at.String(), BackupID: at.String(), ProjectID: "A", State: Available, Kind: kind, Retention: Period{Years: 1},
			PlannedAt: at, DataTimestamp: &at, AvailableAt: &at,
		})
	}
	return h
}

func BenchmarkForecast(b *testing.B) {
	for _, n := range []int{816, 8760} {
		h := yearOf(n)
		b.Run(fmt.Sprintf("points=%d", n), func(b *testing.B) {
			for b.Loop() {
				h.Forecast(now, now.AddDate(2, 0, 0))
			}
		})
	}
}
