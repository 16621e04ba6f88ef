package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The table names the facts that decide; the facts that it leaves out must make no difference.
func TestProtectionOfAllFacts(t *testing.T) {
	for facts := range 1 << 5 {
		is := func(bit int) bool { return facts&(1<<bit) != 0 }
		f := ProtectionFacts{Gone: is(0), Wanted: is(1), Unseen: is(2), HasPoint: is(3), PastRPO: is(4)}
		var want []Protection
		for _, rule := range []struct {
			when bool
			is   Protection
		}{
			{f.Gone, Gone},
			{!f.Gone && f.Wanted && f.PastRPO, Late},
			{!f.Gone && f.Unseen && (!f.Wanted || !f.PastRPO), Unknown},
			{!f.Gone && !f.Unseen && !f.Wanted, Unprotected},
			{!f.Gone && !f.Unseen && f.Wanted && !f.PastRPO && !f.HasPoint, Waiting},
			{!f.Gone && !f.Unseen && f.Wanted && !f.PastRPO && f.HasPoint, Protected},
		} {
			if rule.when {
				want = append(want, rule.is)
			}
		}
		require.Equal(t, want, []Protection{f.Protection()}, "%+v", f)
		require.Contains(t, Protections, f.Protection())
		require.NotEmpty(t, f.Protection().Sentence())
	}
}

func TestLateBeginsAfterTheNewestRestorePointOrElseTheProtection(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) *time.Time { return new(now.Add(-d)) }
	for name, c := range map[string]struct {
		point, since *time.Time
		want         *time.Time
		pastRPO      bool
	}{
		"nothing known":              {nil, nil, nil, false},
		"young restore point":        {ago(time.Hour), ago(9 * time.Hour), new(now.Add(time.Hour)), false},
		"exactly as old as allowed":  {ago(2 * time.Hour), nil, &now, false},
		"older than allowed":         {ago(3 * time.Hour), ago(time.Hour), ago(time.Hour), true},
		"protected a short time ago": {nil, ago(time.Hour), new(now.Add(time.Hour)), false},
		"protected long ago":         {nil, ago(3 * time.Hour), ago(time.Hour), true},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, LateSince(2*time.Hour, c.point, c.since))
			require.Equal(t, c.pastRPO, PastRPO(now, 2*time.Hour, c.point, c.since))
		})
	}
}
