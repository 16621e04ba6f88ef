package backup

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRecordSucceeded(t *testing.T) {
	for w := range strings.FieldsSeq("F Fr Fd FD") {
		require.True(t, records(t, w+"-1h")[0].Succeeded(), w)
	}
	for w := range strings.FieldsSeq("Fl Fe Fx Fs Fq Fg Fu Fp Fc Fo Fw") {
		require.False(t, records(t, w+"-1h")[0].Succeeded(), w)
	}
}

func TestRecordLeftover(t *testing.T) {
	require.True(t, records(t, "Fe-1h")[0].Leftover())
	for w := range strings.FieldsSeq("Fx Fq Fg Fu F Fl") {
		require.False(t, records(t, w+"-1h")[0].Leftover(), w)
	}
}

// The link of each state.
func TestRecordLink(t *testing.T) {
	for w, want := range map[string]Status{
		"F": StatusAvailable, "Fr": StatusRestoring, "Fd": StatusDeleting, "Fq": StatusDeleting, "Fe": StatusError,
		"Fu": StatusErrorDeleting, "Fc": StatusCreating, "Fo": StatusCreating, "Fl": StatusLost, // a missing link keeps its position
		"Fp": "", "Fw": "", "FD": "", "Fg": "", "Fx": "", "Fs": "",
	} {
		r := records(t, w+"-1h@B/20:1w")[0]
		l, ok := r.link()
		require.Equal(t, want != "", ok, w)
		if ok {
			require.Equal(t, Link{
				BackupID: "b01", RecordID: "r01", ProjectID: "B", Kind: Full, Status: want, SizeGiB: 20,
				DataTime: r.PlannedAt, CreatedTime: r.PlannedAt, Retention: period("1w"), SinceTime: l.SinceTime, Gone: l.Gone,
			}, l, w)
		}
		if r.State == Lost {
			for _, why := range []Reason{RemovedByOthers, ProjectGone} {
				r.Reason = why
				l, _ := r.link()
				_, kept := Expired(now, Constraints{}, []Link{l})
				require.Equal(t, why, kept[0].Reason, "not Cinder's failure to remove it")
			}
		}
	}
}

// Cinder's data timestamp, else our first request, else the record itself: never the plan before a manual backup.
func TestRecordHappenedWhen(t *testing.T) {
	r := Record{PlannedAt: now.Add(-time.Hour), CreatedAt: now, RequestedAt: new(now.Add(1)), DataTimestamp: new(now.Add(2))}
	require.Equal(t, now.Add(2), r.HappenedAt())
	r.DataTimestamp = nil
	require.Equal(t, now.Add(1), r.HappenedAt())
	r.RequestedAt = nil
	require.Equal(t, now, r.HappenedAt())
}

func TestNewestPoint(t *testing.T) {
	old, young := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	younger := young.Add(time.Hour)
	require.Nil(t, NewestPoint("p", nil))
	require.Nil(t, NewestPoint("p", []Record{{ProjectID: "p", State: Failed, DataTimestamp: &old}, {ProjectID: "p", State: Available}}))
	for _, records := range [][]Record{
		{{ProjectID: "p", State: Available, DataTimestamp: &old}, {ProjectID: "p", State: Available, DataTimestamp: &young}, {ProjectID: "p", State: Lost, DataTimestamp: &younger}, {ProjectID: "its owner before", State: Available, DataTimestamp: &younger}},
		{{ProjectID: "p", State: Available, DataTimestamp: &young}, {ProjectID: "p", State: Deleting, DataTimestamp: &younger}, {ProjectID: "p", State: Available, DataTimestamp: &old}},
	} {
		require.Equal(t, &young, NewestPoint("p", records))
	}
}
