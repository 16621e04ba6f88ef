package cloudsim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

type backupInput struct {
	VolumeID         string            `json:"volume_id"`
	SnapshotID       *string           `json:"snapshot_id"`
	Name             *string           `json:"name"`
	Description      *string           `json:"description"`
	Container        *string           `json:"container"`
	AvailabilityZone *string           `json:"availability_zone"`
	Incremental      any               `json:"incremental"`
	Force            any               `json:"force"`
	Metadata         map[string]string `json:"metadata"`
}

// createBackup handles POST /backups. It checks in Cinder's order: schema, volume, volume status, quota, parent.
func createBackup(c *Cloud, q *call) response {
	var raw json.RawMessage
	if a, good := q.decode("backup", &raw); !good {
		return a
	}
	in, a, good := q.backupInput(raw)
	if !good {
		return a
	}
	v := c.visibleVolume(q, in.VolumeID)
	switch {
	case v == nil:
		return volumeNotFound(in.VolumeID)
	case deref(in.SnapshotID) != "":
		return notFound("Snapshot " + *in.SnapshotID + " could not be found.")
	}
	status := v.Status
	if c.opt.RaceTwoPosts && c.racing(v) {
		status = v.previous
	}
	switch {
	case status != "available" && status != "in-use":
		return badRequest(`Invalid volume: Volume to be backed up must be available or in-use, but the current status is "` + status + `".`)
	case status == "in-use" && !isTrue(fmt.Sprint(in.Force)):
		return badRequest("Invalid volume: Backing up an in-use volume must use the force flag.")
	}
	if q.tok.project == "" { // a system-scoped token: Cinder marks the volume before it notices that the backup has no owner
		v.previous = status
		c.setVolume(v, "backing-up")
		return serverFault()
	}
	if a, over := c.overQuota(q.tok.project, v.Size); over {
		return a
	}
	var parent *backup
	if isTrue(fmt.Sprint(in.Incremental)) {
		if parent, a, good = c.parentFor(v.ID, q.tok.project); !good {
			return a
		}
	}
	b := c.newBackup(q, v, in, parent)
	v.previous = status
	c.setVolume(v, "backing-up")
	c.noteBackup(BackupRequested, b, q.tok, kindOf(b))
	c.begin(b, v, q.tok, q.marks)
	return accepted(map[string]any{"backup": q.viewBrief(b)})
}

func kindOf(b *backup) string {
	if b.Parent == "" {
		return "full"
	}
	return "incremental on " + b.Parent
}

func (q *call) backupInput(raw json.RawMessage) (backupInput, response, bool) {
	var in backupInput
	if err := json.Unmarshal(raw, &in); err != nil {
		return in, badRequest("Invalid input for field/attribute backup. Value: " + pythonRepr(raw) + "."), false
	}
	allowed := []string{"volume_id", "container", "description", "incremental", "force", "name", "snapshot_id"}
	if q.minor >= 43 {
		allowed = append(allowed, "metadata")
	}
	if q.minor >= 51 {
		allowed = append(allowed, "availability_zone")
	}
	if a, good := checkProperties("backup", raw, allowed); !good {
		return in, a, false
	}
	switch {
	case in.VolumeID == "":
		return in, badRequest("Invalid input for field/attribute backup. Value: " + pythonRepr(raw) + ". 'volume_id' is a required property"), false
	case !likeUUID(in.VolumeID):
		return in, badRequest(fmt.Sprintf("Invalid input for field/attribute volume_id. Value: %s. '%s' is not a 'uuid'", in.VolumeID, in.VolumeID)), false
	case len([]rune(deref(in.Name))) > 255:
		return in, badRequest(fmt.Sprintf("Invalid input for field/attribute name. Value: %s. '%s' is too long", *in.Name, *in.Name)), false
	}
	return in, response{}, true
}

// likeUUID reports whether oslo_utils.uuidutils accepts s as a UUID: 32 hexadecimal digits, dashes anywhere.
func likeUUID(s string) bool {
	s = strings.ToLower(strings.ReplaceAll(s, "-", ""))
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// racing reports whether a backup of the volume began so recently that a simultaneous second request would not have seen it.
func (c *Cloud) racing(v *volume) bool {
	if v.Status != "backing-up" {
		return false
	}
	for _, b := range c.byVolume[v.ID] {
		if b.making != nil && c.at.Sub(b.making.began) < c.opt.RaceWindow {
			return true
		}
	}
	return false
}

// parentFor finds the parent of an incremental. In Zed it is the volume's newest backup by data timestamp in the token's
// project, of any user and in any status.
func (c *Cloud) parentFor(volumeID, projectID string) (*backup, response, bool) {
	if c.newerThanZed() {
		return c.newestAvailable(volumeID, projectID)
	}
	p := newest(c.byVolume[volumeID], func(b *backup) bool { return b.Project == projectID })
	switch {
	case p == nil:
		return nil, badRequest("Invalid backup: No backups available to do an incremental backup."), false
	case p.Status != "available":
		return nil, badRequest("Invalid backup: The parent backup must be available for incremental backup."), false
	}
	return p, response{}, true
}

// newBackup makes a backup in the project of the token. The quota is charged with the volume's full size, even for an
// incremental.
func (c *Cloud) newBackup(q *call, v *volume, in backupInput, parent *backup) *backup {
	now := c.cinderSecond()
	b := &backup{
		ID: c.ids.uuid(), Name: deref(in.Name), Description: deref(in.Description), Volume: v.ID, Project: q.tok.project, User: q.tok.user,
		Status: "creating", Size: v.Size, charged: v.Size, Zone: deref(in.AvailabilityZone), Container: deref(in.Container),
		Created: now, Updated: now, Data: now, requested: c.second(), Metadata: maps.Clone(in.Metadata), content: v.content, blocks: slices.Clone(v.blocks), volumeMeta: maps.Clone(v.Metadata),
	}
	c.backups.add(b)
	index(c.byVolume, v.ID, b.ID, b)
	if parent != nil {
		b.Parent = parent.ID
		index(c.children, parent.ID, b.ID, b)
	}
	u := c.used(b.Project)
	u.backups++
	u.gigabytes += b.charged
	return b
}
