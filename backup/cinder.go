package backup

import (
	"fmt"
	"strings"
	"time"
)

// A Backup is a Cinder volume backup as Cinder has it. Times are Cinder's.
type Backup struct {
	ID, Name, Description string
	ProjectID             string // who owns it, and is charged for it
	VolumeID              string
	UserID                string // who made it; empty below microversion 3.56
	Status                Status
	Incremental           bool
	HasDependents         bool
	Encrypted             bool
	SecretID              string // of its key in Barbican; empty below microversion 3.64
	SizeGiB               int
	FailReason            string
	FailMeaning           Meaning // of FailReason, where that is more than an error
	CreatedAt             time.Time
	DataTimestamp         time.Time
	Metadata              map[string]string // empty below microversion 3.43
}

// A Status is Cinder's word on a backup.
type Status string

// The statuses of a backup that Cinder has.
const (
	StatusCreating      Status = "creating"
	StatusAvailable     Status = "available"
	StatusDeleting      Status = "deleting"
	StatusRestoring     Status = "restoring"
	StatusError         Status = "error"
	StatusErrorDeleting Status = "error_deleting"
)

// A Tag names the record that a backup belongs to. It finds a backup whose
// creation answer was lost; it is no proof against a tenant, who may copy it.
type Tag struct {
	Installation string
	Record       string
}

// The names that carry a tag in a backup's metadata and description.
const (
	TagInstallation = "staffeln_installation"
	TagRecord       = "staffeln_record"
)

// Metadata returns the tag as a backup's metadata.
func (t Tag) Metadata() map[string]string {
	return map[string]string{TagInstallation: t.Installation, TagRecord: t.Record}
}

// Description returns the tag as a backup's description, for clouds whose
// Cinder knows no metadata on backups (below microversion 3.43).
func (t Tag) Description() string {
	return fmt.Sprintf("%s=%s %s=%s", TagInstallation, t.Installation, TagRecord, t.Record)
}

// Tag returns the tag that b carries, from its metadata or else from its
// description; zero where it carries none.
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

// An Identity is who we are on this cloud.
type Identity struct {
	Installation string // made by the first migration
	UserID       string // of the service user
}

// clockTolerance is how far Cinder's clock may be from the database's before
// an adoption is refused where the name is not the request's either. A tag is
// only ever copied after its first request.
const clockTolerance = 2 * time.Hour

// Made tells whether b was made by us: our tag, by our service user. Where
// Cinder does not say who made it (below 3.56) the tag has to do.
func (me Identity) Made(b Backup) bool {
	return me.Installation != "" && b.Tag().Installation == me.Installation && (b.UserID == "" || b.UserID == me.UserID)
}

// Adoptable tells whether b is the backup whose creation answer r is waiting
// for. Everything else that carries a tag is foreign: a tenant can copy tags,
// another Staffeln can share the cloud, a cloned database can wake up. Its name,
// which has the time of the request, tells where Cinder's clock is wrong.
func (me Identity) Adoptable(r Record, b Backup) bool {
	return me.Made(b) && b.Tag().Record == r.ID &&
		r.State == Creating && r.BackupID == "" && r.RequestedAt != nil &&
		b.VolumeID == r.VolumeID && b.ProjectID == r.ProjectID &&
		(b.Name != "" && b.Name == r.BackupName || !b.CreatedAt.Before(r.RequestedAt.Add(-clockTolerance)))
}

// Name returns `<server>_<volume>_<unix time>`, as the Python Staffeln names
// its backups: names cut to 100 characters, the whole to Cinder's 255.
func Name(now time.Time, server, volume string) string {
	return cut(fmt.Sprintf("%s_%s_%d", cut(server, 100), cut(volume, 100), now.Unix()), 255)
}

func cut(s string, characters int) string {
	r := []rune(strings.ToValidUTF8(s, "?"))
	return string(r[:min(len(r), characters)])
}

// A Request is what we ask Cinder to create. Its project, the volume's, is the
// only one whose token may carry it.
type Request struct {
	ProjectID, VolumeID string
	Name                string
	Kind                Kind
	Tag                 Tag
	// Zone is the availability zone of the cinder-backup service that shall make it; empty leaves that to Cinder.
	Zone string
	// Plain asks with texts that nothing refuses: an ASCII name made of IDs, the tag in the description.
	Plain bool
}

// PlainName returns the name of a backup whose usual name was refused: ASCII, made of IDs.
func (r Request) PlainName() string { return fmt.Sprintf("staffeln_%s_%s", r.VolumeID, r.Tag.Record) }
