package cloudsim

import (
	"testing"
	"time"
)

// inZone requests a backup by the cinder-backup of a zone.
func (c client) inZone(volumeID, zone string) string {
	c.l.t.Helper()
	body := m{"volume_id": volumeID, "name": "b", "force": true}
	if zone != "" {
		body["availability_zone"] = zone
	}
	id := c.at("3.51").post(backupsPath, m{"backup": body}).want(202).text("backup.id")
	c.l.clock.step(3 * time.Second)
	return id
}

func TestAPI_CreationInZoneWithoutBackupServiceIsAcceptedAndFails(t *testing.T) {
	for _, release := range Releases() {
		l := newBench(t, of(release))
		v := l.attached(1, VolumeOptions{Zone: "west"})
		l.staffeln.full(v)
		l.cloud.SetBackupZones("east")
		id := l.staffeln.inZone(v, "")
		r := l.staffeln.status(id, "error")
		if r.text("backup.fail_reason") != "Service not found for creating backup." {
			t.Fatal(r.body)
		}
		l.volumeStatus(v, "in-use")
		messages := l.tenant.at("3.70").get("/volume/v3/{p}/messages?resource_uuid=" + id).want(200)
		if messages.text("messages.0.event_id") != "VOLUME_VOLUME_BACKUP_013_024" {
			t.Fatal(messages.body)
		}
		services := l.foreign.get("/volume/v3/{p}/os-services?binary=cinder-backup").want(200)
		if len(services.list("services")) != 1 || services.text("services.0.zone") != "east" {
			t.Fatal(services.body)
		}
	}
}

// Zed accepts and stores availability_zone, but its scheduler uses the volume's zone (fixed in 2023.1).
func TestAPI_RequestedZoneSelectsServiceInReleasesNewerThanZed(t *testing.T) {
	for release, want := range map[string]string{Zed: "error", Epoxy: "available", Gazpacho: "available"} {
		l := newBench(t, of(release))
		v := l.attached(1, VolumeOptions{Zone: "west"})
		l.cloud.SetBackupZones("east")
		l.staffeln.status(l.staffeln.inZone(v, "east"), want)
	}
}

func TestAPI_FullsSucceedWhileIncrementalsFail(t *testing.T) {
	const why = "Can't find snapshot from parent"
	for _, release := range Releases() {
		l := newBench(t, of(release))
		v := l.attached(1)
		l.staffeln.full(v)
		l.cloud.FailIncrementals(v, why)
		bad := l.staffeln.start(v, true)
		l.clock.step(3 * time.Second)
		if r := l.staffeln.status(bad, "error"); r.text("backup.fail_reason") != why {
			t.Fatal(r.body)
		}
		l.staffeln.full(v)
		l.cloud.FailIncrementals(v, "")
		l.staffeln.inc(v)
	}
}

func TestAPI_ExcessCreationsWaitInCreatingInGazpacho(t *testing.T) {
	for release, done := range map[string]int{Zed: 20, Epoxy: 20, Gazpacho: 15} {
		l := newBench(t, of(release))
		var ids []string
		for range 20 {
			ids = append(ids, l.staffeln.start(l.attached(1), false))
		}
		finished := func() (n int) {
			for _, id := range ids {
				switch b, _ := l.cloud.Backup(id); b.Status {
				case "available":
					n++
				case "creating":
					l.volumeStatus(b.Volume, "backing-up")
				}
			}
			return n
		}
		l.clock.step(2 * time.Second)
		if n := finished(); n != done {
			t.Fatalf("%s: %d of 20 done", release, n)
		}
		l.clock.step(2 * time.Second)
		if n := finished(); n != 20 {
			t.Fatalf("%s: %d of 20 done in the end", release, n)
		}
	}
}

func TestAPI_RestartDropsWaitingOperations(t *testing.T) {
	l := newBench(t, of(Gazpacho), func(o *Options) { o.BackupMaxOperations = 1 })
	first, second := l.staffeln.start(l.attached(1), false), l.staffeln.start(l.attached(1), false)
	l.cloud.RestartBackupService()
	third := l.staffeln.start(l.attached(1), false)
	l.clock.step(2 * time.Second)
	l.staffeln.status(first, "error")
	l.staffeln.status(second, "error")
	l.staffeln.status(third, "available")
}

func TestAPI_RestoreUsesASlotToo(t *testing.T) {
	l := newBench(t, of(Gazpacho), func(o *Options) { o.BackupMaxOperations = 1 })
	v := l.attached(1)
	b := l.staffeln.full(v)
	target := l.tenant.post(backupsPath+"/"+b+"/restore", m{"restore": m{"name": "r"}}).want(202).text("restore.volume_id")
	next := l.staffeln.start(l.attached(1), false)
	l.clock.step(2 * time.Second)
	l.volumeStatus(target, "available")
	l.staffeln.status(next, "creating")
	l.clock.step(2 * time.Second)
	l.staffeln.status(next, "available")
}
