package cloudsim

import (
	"maps"
	"slices"
	"time"
)

// Kinds of events in the journal.
const (
	BackupRequested     = "backup_requested"          // a creation was accepted
	BackupAvailable     = "backup_available"          // a creation ended successfully
	BackupFailed        = "backup_error"              // a backup went to error or error_deleting; Detail has the reason
	BackupDeletion      = "backup_deletion_requested" // a deletion was accepted
	BackupForceDeletion = "backup_force_deletion"     // the same by os-force_delete
	BackupDeleted       = "backup_deleted"            // the backup no longer exists
	BackupHangs         = "backup_deletion_hangs"     // its data is deleted, its key could not be deleted: deleting for ever
	BackupReset         = "backup_status_reset"       // by os-reset_status; Detail has the new status
	BackupUpdated       = "backup_updated"            // name, description or metadata changed
	BackupRestored      = "backup_restored"           // a restore ended successfully; Volume is the target
	BackupRestoreFailed = "backup_restore_failed"     // a restore ended in error_restoring; Volume is the target
	ForeignDeletion     = "foreign_deletion"          // a deletion was accepted for a token of another project than the backup's
	ChainDestroyed      = "chain_destroyed"           // a backup lost its parent and cannot be restored any more; Detail names the parent
	VolumeChanged       = "volume_changed"            // Detail has the change: created, attached, extended, status ...
	VolumeGone          = "volume_deleted"
	ServerChanged       = "server_changed" // Detail has the change
	ServerGone          = "server_deleted"
	SecretGone          = "secret_deleted"  // Detail names the key; Volume or Backup the owner it was deleted for
	FaultFired          = "fault"           // Detail names the route and the effect
	UnknownRoute        = "unknown_route"   // Detail names method and path
	IdentityChanged     = "identity"        // projects, users, roles; Detail has the change
	ServiceChanged      = "service_changed" // cinder-backup, Barbican or the backup target failed, recovered or changed
)

// Event is one entry of the journal.
type Event struct {
	Seq     int       `json:"seq"` // 1, 2, 3 ...
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	Backup  string    `json:"backup,omitempty"`
	Volume  string    `json:"volume,omitempty"`
	Server  string    `json:"server,omitempty"`
	Project string    `json:"project,omitempty"` // the owner of the object
	User    string    `json:"user,omitempty"`    // the user of the token; empty if no request caused the event
	Token   string    `json:"token_project,omitempty"`
	Detail  string    `json:"detail,omitempty"`
}

func (c *Cloud) note(e Event) {
	if c.journalOff {
		return
	}
	e.Seq = len(c.journal) + 1
	e.At = c.at
	c.journal = append(c.journal, e)
}

// noteBackup writes an event about a backup; tok is nil if no request caused the event.
func (c *Cloud) noteBackup(kind string, b *backup, tok *token, detail string) {
	e := Event{Kind: kind, Backup: b.ID, Volume: b.Volume, Project: b.Project, Detail: detail}
	if tok != nil {
		e.User, e.Token = tok.user, tok.project
	}
	c.note(e)
}

func (c *Cloud) noteVolume(v *volume, detail string) {
	c.note(Event{Kind: VolumeChanged, Volume: v.ID, Project: v.Project, Detail: detail})
}

func (c *Cloud) noteServer(s *server, detail string) {
	c.note(Event{Kind: ServerChanged, Server: s.ID, Project: s.Project, Detail: detail})
}

// Journal returns all events so far, in order.
func (c *Cloud) Journal() []Event {
	c.lock()
	defer c.mu.Unlock()
	return slices.Clone(c.journal)
}

// JournalSince returns the events after the event with this number; 0 is all.
func (c *Cloud) JournalSince(seq int) []Event {
	c.lock()
	defer c.mu.Unlock()
	return slices.Clone(c.journal[min(max(seq, 0), len(c.journal)):])
}

// Counts returns the number of requests by method and route template, such as
// "GET /volume/v3/{project}/backups/{backup}". A URL without the project counts under the same template.
func (c *Cloud) Counts() map[string]int {
	c.lock()
	defer c.mu.Unlock()
	return maps.Clone(c.counts)
}

// ResetCounts sets all counts to zero.
func (c *Cloud) ResetCounts() {
	c.lock()
	defer c.mu.Unlock()
	clear(c.counts)
}

// UnknownRoutes returns the requests, as "METHOD path", that the simulation does not implement. A test that causes one has
// tested nothing.
func (c *Cloud) UnknownRoutes() []string {
	c.lock()
	defer c.mu.Unlock()
	return slices.Clone(c.unknown)
}
