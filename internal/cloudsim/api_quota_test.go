package cloudsim

import (
	"testing"
	"time"
)

func TestAPI_QuotaOfBackups(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	l.cloud.SetQuota(l.acme, 1, -1)
	l.staffeln.full(v)
	r := l.staffeln.post(backupsPath, backupBody(v, false)).wantBody(413,
		`{"overLimit": {"code": 413, "message": "BackupLimitExceeded: Maximum number of backups allowed (1) exceeded", "retryAfter": "0"}}`)
	if r.header.Get("Retry-After") != "0" {
		t.Fatal(r.header)
	}
	l.volumeStatus(v, "in-use")
}

func TestAPI_QuotaOfGigabytesChargesFullSizeForIncrementals(t *testing.T) {
	l := newBench(t)
	v := l.attached(2)
	l.cloud.SetQuota(l.acme, -1, 4)
	l.staffeln.full(v)
	l.staffeln.inc(v)
	l.staffeln.post(backupsPath, backupBody(v, true)).wantBody(413,
		`{"overLimit": {"code": 413, "message": "VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup gigabytes quota. Requested 2G, quota is 4G and 4G has been consumed.", "retryAfter": "0"}}`)
	if r := l.staffeln.get("/volume/v3/{p}/limits").want(200); r.at("limits.absolute.totalBackupGigabytesUsed") != 4.0 ||
		r.at("limits.absolute.maxTotalBackupGigabytes") != 4.0 || r.at("limits.absolute.totalBackupsUsed") != 2.0 {
		t.Fatal(r.body)
	}
	l.foreign.full(v) // charged to the project of its token, which has free quota
}

func TestAPI_QuotaIsCheckedBeforeTheParent(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	l.cloud.SetQuota(l.acme, 0, 0)
	l.staffeln.post(backupsPath, backupBody(v, true)).want(413)
}

func TestAPI_QuotasAreVisibleToTheirProjectAndAdmins(t *testing.T) {
	l := newBench(t)
	r := l.tenant.get("/volume/v3/{p}/os-quota-sets/{p}?usage=True").want(200)
	if r.at("quota_set.backups.limit") != 500.0 || r.at("quota_set.backup_gigabytes.limit") != 10000.0 || r.at("quota_set.backups.reserved") != 0.0 {
		t.Fatal(r.body)
	}
	l.tenant.get("/volume/v3/{p}/os-quota-sets/"+l.other+"?usage=True").wantBody(403,
		`{"forbidden": {"code": 403, "message": "Policy doesn't allow volume_extension:quotas:show to be performed."}}`)
	l.tenant.do("PUT", "/volume/v3/{p}/os-quota-sets/{p}", m{"quota_set": m{"backups": 1}}).want(403)
	r = l.foreign.do("PUT", "/volume/v3/{p}/os-quota-sets/"+l.acme, m{"quota_set": m{"backups": 1}}).want(200)
	if r.at("quota_set.backups") != 1.0 {
		t.Fatal(r.body)
	}
	if r = l.foreign.get("/volume/v3/{p}/os-quota-sets/" + l.acme).want(200); r.at("quota_set.backups") != 1.0 || r.text("quota_set.id") != l.acme {
		t.Fatal(r.body)
	}
}

func TestAPI_DefaultQuotasAndDurationsBySize(t *testing.T) {
	l := newBench(t, func(o *Options) {
		o.Backups, o.BackupGigabytes = 2, -1
		o.BackupTime = func(size int) time.Duration { return time.Duration(size) * time.Minute }
	})
	v := l.attached(3)
	id := l.staffeln.start(v, false)
	l.clock.step(2 * time.Minute)
	l.staffeln.status(id, "creating")
	l.clock.step(time.Minute)
	l.staffeln.status(id, "available")
	l.staffeln.start(v, false)
	l.clock.step(3 * time.Minute)
	l.staffeln.post(backupsPath, backupBody(v, false)).want(413)
}
