package cloudsim

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// usage is what a project uses and its limits; a nil limit is the default.
type usage struct {
	backups, gigabytes       int
	maxBackups, maxGigabytes *int
}

func (c *Cloud) used(projectID string) *usage {
	u := c.usage[projectID]
	if u == nil {
		u = &usage{}
		c.usage[projectID] = u
	}
	return u
}

func (c *Cloud) limits(u *usage) (backups, gigabytes int) {
	backups, gigabytes = c.opt.Backups, c.opt.BackupGigabytes
	if u.maxBackups != nil {
		backups = *u.maxBackups
	}
	if u.maxGigabytes != nil {
		gigabytes = *u.maxGigabytes
	}
	return backups, gigabytes
}

// overQuota refuses a backup of so many GiB. If both quotas are exceeded, Cinder names the gigabytes.
func (c *Cloud) overQuota(projectID string, size int) (response, bool) {
	u := c.used(projectID)
	backups, gigabytes := c.limits(u)
	switch {
	case gigabytes >= 0 && u.gigabytes+size > gigabytes:
		return overLimit(fmt.Sprintf("VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup gigabytes quota. "+
			"Requested %dG, quota is %dG and %dG has been consumed.", size, gigabytes, u.gigabytes)), true
	case backups >= 0 && u.backups >= backups:
		return overLimit(fmt.Sprintf("BackupLimitExceeded: Maximum number of backups allowed (%d) exceeded", backups)), true
	}
	return response{}, false
}

func (c *Cloud) volumeUsage(projectID string) (count, gigabytes int) {
	for _, v := range c.volumes.byProject[projectID] {
		if !v.temporary {
			count++
			gigabytes += v.Size
		}
	}
	return count, gigabytes
}

const (
	maxVolumes         = 500
	maxVolumeGigabytes = 10000
)

// quotaSet lists every resource with its limit and its usage.
func (c *Cloud) quotaSet(projectID string) []quotaEntry {
	u := c.used(projectID)
	backups, gigabytes := c.limits(u)
	n, size := c.volumeUsage(projectID)
	return []quotaEntry{
		{"volumes", maxVolumes, n},
		{"per_volume_gigabytes", -1, 0},
		{"snapshots", 500, 0},
		{"gigabytes", maxVolumeGigabytes, size},
		{"backups", backups, u.backups},
		{"backup_gigabytes", gigabytes, u.gigabytes},
		{"volumes___DEFAULT__", -1, n},
		{"gigabytes___DEFAULT__", -1, size},
		{"snapshots___DEFAULT__", -1, 0},
		{"groups", 10, 0},
	}
}

type quotaEntry struct {
	name         string
	limit, inUse int
}

// showQuota shows admins the quota of any project, even of one that does not exist.
func showQuota(c *Cloud, q *call) response {
	target := q.vars["target"]
	if target != q.tok.project && !q.admin {
		return notAllowed("volume_extension:quotas:show")
	}
	set := map[string]any{"id": target}
	for _, e := range c.quotaSet(target) {
		if isTrue(q.last("usage")) {
			set[e.name] = map[string]int{"limit": e.limit, "in_use": e.inUse, "reserved": 0}
		} else {
			set[e.name] = e.limit
		}
	}
	return ok(map[string]any{"quota_set": set})
}

func updateQuota(c *Cloud, q *call) response {
	if !q.admin {
		return notAllowed("volume_extension:quotas:update")
	}
	var in map[string]json.RawMessage
	if a, good := q.decode("quota_set", &in); !good {
		return a
	}
	target := q.vars["target"]
	u := c.used(target)
	for name, raw := range in {
		n, err := strconv.Atoi(string(raw))
		if err != nil || n < -1 {
			return badRequest("Invalid input for field/attribute " + name + ". Value: " + pythonRepr(raw) + ".")
		}
		switch name {
		case "backups":
			u.maxBackups = &n
		case "backup_gigabytes":
			u.maxGigabytes = &n
		}
	}
	c.note(Event{Kind: IdentityChanged, Project: target, User: q.tok.user, Detail: "quota updated"})
	set := map[string]any{}
	for _, e := range c.quotaSet(target) {
		set[e.name] = e.limit
	}
	return ok(map[string]any{"quota_set": set})
}

func showLimits(c *Cloud, q *call) response {
	u := c.used(q.tok.project)
	backups, gigabytes := c.limits(u)
	n, size := c.volumeUsage(q.tok.project)
	return ok(map[string]any{"limits": map[string]any{"rate": []any{}, "absolute": map[string]int{
		"maxTotalVolumes": maxVolumes, "maxTotalSnapshots": 500, "maxTotalVolumeGigabytes": maxVolumeGigabytes,
		"maxTotalBackups": backups, "maxTotalBackupGigabytes": gigabytes, "totalVolumesUsed": n, "totalGigabytesUsed": size,
		"totalSnapshotsUsed": 0, "totalBackupsUsed": u.backups, "totalBackupGigabytesUsed": u.gigabytes,
	}}})
}

func itoa(n int) string { return strconv.Itoa(n) }
