package backup

import (
	"fmt"
	"strings"
	"time"
)

// A Backup is a Cinder volume backup with Cinder's data. Times are Cinder's.
type Backup struct {
	ID, Name, Description string
	ProjectID             string // owner, charged for it
	VolumeID              string
	UserID                string // user who made it; empty below microversion 3.56
	Status                Status
	Incremental           bool
	HasDependents         bool
	Encrypted             bool
	SecretID              string // ID of its key in Barbican; empty below microversion 3.64
	SizeGiB               int
	FailReason            string
	FailMeaning           Meaning // meaning of FailReason, if it is more specific than an error
	CreatedAt             time.Time
	UpdatedAt             time.Time // newest change: of a finished backup first the end of its creation; zero before any
	DataTimestamp         time.Time
	Metadata              map[string]string // empty below microversion 3.43
}

// A Status is the status of a backup in Cinder.
type Status string

// Cinder's statuses of a backup.
const (
	StatusCreating      Status = "creating"
	StatusAvailable     Status = "available"
	StatusDeleting      Status = "deleting"
	StatusRestoring     Status = "restoring"
	StatusError         Status = "error"
	StatusErrorDeleting Status = "error_deleting"
)

// A Tag names the record that a backup belongs to. It finds a backup whose creation response was lost. It proves
// nothing: a tenant may copy it.
type Tag struct {
	Installation string
	Record       string
}

// The keys of a tag in a backup's metadata and description.
const (
	TagInstallation = "staffeln_installation"
	TagRecord       = "staffeln_record"
)

// Metadata returns the tag as a backup's metadata.
func (t Tag) Metadata() map[string]string {
	return map[string]string{TagInstallation: t.Installation, TagRecord: t.Record}
}

// Description returns the tag as a backup's description, for Cinder without metadata on backups (below microversion
// 3.43).
func (t Tag) Description() string {
	return fmt.Sprintf("%s=%s %s=%s", TagInstallation, t.Installation, TagRecord, t.Record)
}

// Tag returns the tag of b, from its metadata or else from its description; zero if there is none.
func (b Backup) Tag() Tag {
	if t := (Tag{b.Metadata[TagInstallation], b.Metadata[TagRecord]}); t.Installation != "" && t.Record != "" {
		return t
	}
	var t Tag
	for word := range strings.FieldsSeq(b.Description) {
		if v, ok := strings.CutPrefix(word, TagInstallation+"="); ok {
			t.Installation = v
		}
		if v, ok := strings.CutPrefix(word, TagRecord+"="); ok {
			t.Record = v
		}
	}
	return t
}

// An Identity identifies this installation on the cloud.
type Identity struct {
	Installation string // created by the first migration
	UserID       string // ID of the service user
}

// clockTolerance is how far Cinder's clock may differ from the database's before an adoption is refused, if the name
// is not that of the request either. A tag can only be copied after its first request.
const clockTolerance = 2 * time.Hour

// Made reports whether this installation made b: our tag, and our service user. If Cinder does not report the user
// (below 3.56), the tag alone decides.
func (me Identity) Made(b Backup) bool {
	return me.Installation != "" && b.Tag().Installation == me.Installation && (b.UserID == "" || b.UserID == me.UserID)
}

// Adoptable reports whether b is the backup of r's creation request whose response was lost. Any other tagged backup
// is foreign: a tenant can copy tags, another Staffeln can share the cloud, a cloned database can start up. The name
// contains the time of the request, so it also works where Cinder's clock is wrong.
func (me Identity) Adoptable(r Record, b Backup) bool {
	return me.Made(b) && b.Tag().Record == r.ID &&
		r.State == Creating && r.BackupID == "" && r.RequestedAt != nil &&
		b.VolumeID == r.VolumeID && b.ProjectID == r.ProjectID &&
		(b.Name != "" && b.Name == r.BackupName || !b.CreatedAt.Before(r.RequestedAt.Add(-clockTolerance)))
}

// Name returns `<server>_<volume>_<unix time>`, the backup name of the Python Staffeln. Each name is cut to 100
// characters, the whole to Cinder's 255.
func Name(now time.Time, server, volume string) string {
	return cut(fmt.Sprintf("%s_%s_%d", cut(server, 100), cut(volume, 100), now.Unix()), 255)
}

func cut(s string, characters int) string {
	r := []rune(strings.ToValidUTF8(s, "?"))
	return string(r[:min(len(r), characters)])
}

// A Request is a backup creation in Cinder. Only a token of the volume's project may send it.
type Request struct {
	ProjectID, VolumeID string
	Name                string
	Kind                Kind
	Tag                 Tag
	// Zone is the availability zone of the cinder-backup service to use; if empty, Cinder chooses.
	Zone string
	// Plain requests texts that nothing rejects: an ASCII name made of IDs, the tag in the description.
	Plain bool
}

// PlainName returns the name for a backup whose usual name was rejected: ASCII, made of IDs.
func (r Request) PlainName() string { return fmt.Sprintf("staffeln_%s_%s", r.VolumeID, r.Tag.Record) }
