package db

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// rpo is a rule without a bound, for volumes whose backups take no time.
func rpo(late time.Duration) backup.RPO { return backup.RPO{Due: late} }

// For every possible row, the protection that Postgres counts, filters and returns is the one of package backup.
func TestProtectionInSQLMatchesPackageBackup(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	const late = 24 * hour
	rule := backup.RPO{Due: 20 * hour, Grace: 4 * hour, Most: 26 * hour}
	ago := func(d time.Duration) *time.Time { return new(base.Add(-d)) }
	ages := []*time.Time{nil, ago(hour), ago(late), ago(late + time.Microsecond), ago(late + hour), ago(late + 2*hour + time.Microsecond)}
	usuals := []time.Duration{0, hour, 9 * hour}
	want, lateSince, counts := map[string]backup.Protection{}, map[string]*time.Time{}, map[backup.Protection]int{}
	insert := func(gone, protected, unknown, decided bool, since, newest *time.Time, usual time.Duration) {
		id := fmt.Sprint("v", len(want))
		r := row{"id": id, "protected": protected, "unknown": unknown, "protected_since": since, "gone_at": nil, "decided_at": nil}
		if usual > 0 {
			r["usual_duration"] = usual
		}
		if gone {
			r["gone_at"] = base
		}
		if decided {
			r["decided_at"] = base
		}
		if h.insert("volumes", plainVolume.with(r)) != nil {
			return // the constraints exclude this row
		}
		// none of these is a restore point of the volume's owner
		h.record(id+"-before", point(id+"-before", 0).with(row{"volume_id": id, "project_id": "before"}))
		h.record(id+"-broken", point(id+"-broken", 0).with(row{"volume_id": id, "cinder_status": "error"}))
		h.record(id+"-lost", point(id+"-lost", 0).with(row{"volume_id": id, "state": "lost"}))
		if newest != nil {
			h.record(id, point(id, base.Sub(*newest)).with(row{"volume_id": id}))
			h.record(id+"-older", point(id+"-older", 99*late).with(row{"volume_id": id}))
		}
		f := backup.ProtectionFacts{
			Gone: gone, Wanted: protected, Unseen: unknown || !decided, HasPoint: newest != nil, PastRPO: backup.PastRPO(base, rule.Of(usual), newest, since),
		}
		want[id] = f.Protection()
		counts[want[id]]++
		if want[id] == backup.Late {
			lateSince[id] = backup.LateSince(rule.Of(usual), newest, since)
		}
	}
	for bits := range 1 << 4 {
		for _, since := range ages {
			for _, newest := range ages {
				for i, usual := range usuals {
					if i == 0 || bits&3 == 2 { // only a protected volume can be late
						insert(bits&1 != 0, bits&2 != 0, bits&4 != 0, bits&8 != 0, since, newest, usual)
					}
				}
			}
		}
	}
	require.Greater(t, len(want), 100)
	for _, p := range backup.Protections {
		require.NotZero(t, counts[p], "no row is %s", p)
	}
	h.inSnapshot(func(l *Snapshot) {
		counted, err := l.ProtectionCounts(h.ctx, rule, "")
		require.NoError(t, err)
		require.Equal(t, counts, counted)
		for _, p := range backup.Protections {
			listed, err := l.Protections(h.ctx, rule, Part{}, p)
			require.NoError(t, err)
			page, err := l.ProtectionPage(h.ctx, rule, ProtectionFilter{Protections: []backup.Protection{p}})
			require.NoError(t, err)
			require.ElementsMatch(t, listed, page)
			require.Len(t, listed, counts[p])
			for _, one := range listed {
				require.Equal(t, want[one.ID], one.Protection())
				since := one.LateSince(rule)
				require.Equal(t, lateSince[one.ID] == nil, since == nil)
				require.True(t, since == nil || since.Equal(*lateSince[one.ID]))
			}
		}
	})
}
