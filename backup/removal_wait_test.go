package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRemovalWait(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		spoil func(*RemovalFacts)
		want  WaitCode
	}{
		"found":                {func(*RemovalFacts) {}, WaitWorker},
		"not found yet":        {func(f *RemovalFacts) { f.Found = false }, WaitRetention},
		"no scheduler":         {func(f *RemovalFacts) { f.Leads, f.NoWorker = false, true }, WaitScheduler},
		"no worker":            {func(f *RemovalFacts) { f.NoWorker = true }, WaitWorker},
		"no queue":             {func(f *RemovalFacts) { f.QueueAway = true }, WaitQueue},
		"paused":               {func(f *RemovalFacts) { f.Paused, f.NoWorker = true, true }, WaitPause},
		"refused a while ago":  {func(f *RemovalFacts) { f.NextTryAt = &now }, WaitWorker},
		"refused just now":     {func(f *RemovalFacts) { f.NextTryAt = new(now.Add(time.Second)) }, WaitRetry},
		"a newer link first":   {func(f *RemovalFacts) { f.Kept, f.Leads = true, false }, WaitLink},
		"Cinder is working on": {func(f *RemovalFacts) { f.Removing, f.Paused = true, true }, WaitCinder},
	} {
		f := RemovalFacts{Leads: true, Found: true}
		c.spoil(&f)
		require.Equal(t, c.want, f.Wait(now), name)
	}
}
