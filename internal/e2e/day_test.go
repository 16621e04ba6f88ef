package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// A day has exactly as many backups of each volume as the interval allows, with any service period and with changing leaders,
// and the depth decides the order of full and incremental backups.
func TestBackupsOfADayFollowIntervalAndDepth(t *testing.T) {
	for _, c := range []struct {
		interval, period time.Duration
		depth, backups   int
		leaders          bool // leadership changes before each plan
		order            string
	}{
		{time.Hour, 10 * time.Minute, 2, 24, false, "FII"},
		{time.Hour, 10 * time.Minute, 2, 24, true, "FII"},
		{30 * time.Minute, 30 * time.Minute, 1, 48, false, "FI"},
		{30 * time.Minute, 30 * time.Minute, 0, 48, true, "F"},
	} {
		t.Run(fmt.Sprintf("interval %s on %s, depth %d, leaders change %v", c.interval, c.period, c.depth, c.leaders), func(t *testing.T) {
			t.Parallel()
			w := newEnvironment(t, func(set *backup.Settings, _ *cloudsim.Options) {
				set.BackupMinInterval, set.BackupServicePeriod = backup.Duration(c.interval), backup.Duration(c.period)
				set.FullBackupDepth = c.depth
			})
			acme := w.Sim.AddProject("acme")
			_, volumes := w.Protect(acme, "web-1", 3)
			for end := w.Clock.Now().Add(24 * time.Hour); w.Clock.Now().Before(end); w.Step(time.Minute) {
				if c.leaders && w.Clock.Now().Truncate(c.period).Equal(w.Clock.Now()) {
					w.Lead()
				}
				w.RunDue()
			}
			want := strings.Repeat(c.order, 48)[:c.backups]
			for _, v := range volumes {
				require.Equal(t, want, w.Kinds(v))
			}
			require.Equal(t, len(volumes)*c.backups, w.Count("state = 'available'"))
			require.Equal(t, len(volumes)*c.backups, w.Count("true"), "records without a backup of their own")
		})
	}
}
