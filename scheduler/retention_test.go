package scheduler

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
)

// A full whose incremental was removed by others expires by its own retention: in Cinder nothing depends on it.
func TestParentOfLostIncrementalExpires(t *testing.T) {
	s := &Scheduler{}
	volume := func(leaf backup.State) db.AgedVolume {
		record := func(id string, state backup.State, kind backup.Kind, data time.Time) backup.Record {
			return backup.Record{ID: id, BackupID: "backup " + id, VolumeID: "v", ProjectID: "p", State: state, Kind: kind, DataTimestamp: &data}
		}
		return db.AgedVolume{
			Volume: db.Volume{ID: "v", ProjectID: "p", Retention: backup.Retention{Owner: "p", InForce: backup.Period{Days: 5}}},
			Links: []backup.Record{
				record("full", backup.Available, backup.Full, now.Add(-6*24*time.Hour)), record("leaf", leaf, backup.Incremental, now.Add(-4*24*time.Hour)),
			},
		}
	}
	b := &db.Run{Now: now}
	require.False(t, s.removable(b, volume(backup.Available), nil), "the incremental on it is kept")
	require.False(t, s.removable(b, volume(backup.Undeletable), nil), "Cinder has it still")
	require.True(t, s.removable(b, volume(backup.Lost), nil))
}
