package cloudsim

import (
	"slices"
	"strings"
)

// Releases of OpenStack that can be simulated.
const (
	Zed      = "zed"      // Keystone 22, Nova 26, Cinder 21
	Epoxy    = "epoxy"    // 2025.1: Keystone 27, Nova 31, Cinder 26
	Gazpacho = "gazpacho" // 2026.1: Keystone 30, Nova 33, Cinder 28
)

// Releases returns all releases, oldest first.
func Releases() []string { return []string{Zed, Epoxy, Gazpacho} }

// atRelease sets the options that depend on the release and are not set yet.
func atRelease(opt Options) Options {
	setDefault(&opt.Release, Zed)
	volume, compute := 70, 93
	switch opt.Release {
	case Zed:
	case Epoxy:
		volume, compute = 71, 100
	case Gazpacho:
		volume, compute = 71, 103
		setDefault(&opt.BackupMaxOperations, 15)
		opt.SecretNewDefaults = true
	default:
		panic("cloudsim: no release " + opt.Release + ", only " + strings.Join(Releases(), ", "))
	}
	setDefault(&opt.VolumeMinor, volume)
	setDefault(&opt.ComputeMinor, compute)
	setDefault(&opt.KeystoneMaxLimit, 1000)
	return opt
}

// since reports whether the cloud is of this release or a newer one.
func (c *Cloud) since(release string) bool {
	return slices.Index(Releases(), c.opt.Release) >= slices.Index(Releases(), release)
}

// newerThanZed reports whether the cloud is of a release after Zed.
func (c *Cloud) newerThanZed() bool { return c.opt.Release != Zed && c.since(Zed) }

// implied returns a role with its implied roles: admin implies manager (newer than Zed), manager implies member, and member
// implies reader.
func (c *Cloud) implied(name string) []string {
	switch {
	case name == "admin" && c.newerThanZed():
		return []string{"admin", "reader", "member", "manager"}
	case name == "admin":
		return []string{"admin", "reader", "member"}
	case name == "manager" && c.newerThanZed():
		return []string{"manager", "reader", "member"}
	case name == "member":
		return []string{"member", "reader"}
	}
	return []string{name}
}

// newestAvailable is the parent of an incremental from 2023.1 on: the newest available backup by data timestamp. A failed one no
// longer blocks. A backup that is being created, restored or deleted is skipped, and the chain forks.
func (c *Cloud) newestAvailable(volumeID, projectID string) (*backup, response, bool) {
	p := newest(c.byVolume[volumeID], func(b *backup) bool { return b.Project == projectID && b.Status == "available" })
	if p == nil {
		return nil, badRequest("Invalid backup: No backups available to do an incremental backup."), false
	}
	return p, response{}, true
}

// newest returns the newest backup by data timestamp. Within one second Cinder may choose any (it stores no fractions); this
// function chooses the greatest ID.
func newest(of map[string]*backup, keep func(*backup) bool) *backup {
	var best *backup
	for _, b := range of {
		if keep(b) && (best == nil || b.Data.After(best.Data) || b.Data.Equal(best.Data) && b.ID > best.ID) {
			best = b
		}
	}
	return best
}

// mayUseSecrets reports whether a token may use the secrets of a project. Barbican's default policy allows admin and creator, not
// member, and only in the secret's own project. With its newer defaults member is enough; in a release that has them by
// default, creator alone is not.
func (c *Cloud) mayUseSecrets(t *token, projectID string) bool {
	if allowed, set := c.rights[[2]string{t.user, projectID}]; set {
		return allowed
	}
	if t.project != projectID {
		return false
	}
	roles := c.rolesOf(t)
	return slices.Contains(roles, "admin") || slices.Contains(roles, "creator") && !c.since(Gazpacho) ||
		c.opt.SecretNewDefaults && slices.Contains(roles, "member")
}

// keyDeletionFailureReason returns why a deletion can't delete the backup's secret, or "". From Gazpacho on, if the caller lacks the
// right, cinder-backup tries again as an admin, which works for any project.
func (c *Cloud) keyDeletionFailureReason(b *backup, t *token) string {
	if c.since(Gazpacho) && c.keyManagerUp {
		return ""
	}
	return c.secretFailureReason(t, c.keyProject(b), b.KeyID)
}
