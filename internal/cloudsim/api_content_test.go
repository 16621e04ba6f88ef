package cloudsim

import (
	"slices"
	"testing"
	"time"
)

func TestAPI_RestoreOfIncrementalIntoNewVolumeLeavesStaleDataForZeros(t *testing.T) {
	for release, want := range map[string][]int{Zed: {1, 0, 5}, Epoxy: {1, 2, 5}, Gazpacho: {1, 2, 5}} {
		l := newBench(t, of(release))
		v := l.cloud.AddVolume(l.acme, "v", 1)
		for n := range 3 {
			l.cloud.WriteBlock(v, n, n+1)
		}
		full := l.staffeln.full(v)
		l.cloud.WriteBlock(v, 1, 0)
		l.cloud.WriteBlock(v, 2, 5)
		inc := l.staffeln.inc(v)
		into := func(backup, target string) string {
			l.t.Helper()
			in := m{"name": "r"}
			if target != "" {
				in = m{"volume_id": target}
			}
			id := l.tenant.post(backupsPath+"/"+backup+"/restore", m{"restore": in}).want(202).text("restore.volume_id")
			l.clock.step(3 * time.Second)
			l.volumeStatus(id, "available")
			return id
		}
		if got := l.cloud.VolumeContent(into(inc, "")); !slices.Equal(got, want) {
			t.Fatalf("%s, new: %v, want %v", release, got, want)
		}
		if got := l.cloud.VolumeContent(into(inc, l.cloud.AddVolume(l.acme, "given", 1))); !slices.Equal(got, []int{1, 0, 5}) {
			t.Fatalf("%s, given: %v", release, got)
		}
		if got := l.cloud.VolumeContent(into(full, "")); !slices.Equal(got, []int{1, 2, 3}) {
			t.Fatalf("%s, a full: %v", release, got)
		}
	}
}
