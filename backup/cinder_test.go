package backup

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var (
	me  = Identity{Installation: "inst", UserID: "staffeln"}
	tag = Tag{Installation: "inst", Record: "r1"}
)

func TestTagRoundTrip(t *testing.T) {
	require.Equal(t, tag, Backup{Metadata: tag.Metadata()}.Tag())
	require.Equal(t, tag, Backup{Description: tag.Description()}.Tag())
	require.Equal(t, tag, Backup{Description: "mine!\n" + tag.Description() + " (do not touch)"}.Tag())
	require.Equal(t, tag, Backup{Metadata: tag.Metadata(), Description: Tag{"other", "r9"}.Description()}.Tag(), "metadata takes precedence")
	require.Equal(t, tag, Backup{Metadata: map[string]string{TagInstallation: "x"}, Description: tag.Description()}.Tag(), "half a tag is none")
	require.Equal(t, Tag{}, Backup{Description: "a backup", Metadata: map[string]string{"a": "b"}}.Tag())
	require.LessOrEqual(t, len(Tag{strings.Repeat("i", 36), strings.Repeat("r", 36)}.Description()), 255)
}

func TestMade(t *testing.T) {
	b := Backup{Metadata: tag.Metadata(), UserID: "staffeln"}
	require.True(t, me.Made(b))
	b.UserID = ""
	require.True(t, me.Made(b), "Cinder below 3.56 does not return the user")
	b.UserID = "tenant"
	require.False(t, me.Made(b), "a tenant can copy tags")
	require.False(t, me.Made(Backup{UserID: "staffeln"}), "no tag")
	require.False(t, me.Made(Backup{Metadata: Tag{"clone", "r1"}.Metadata(), UserID: "staffeln"}))
	require.False(t, Identity{UserID: "staffeln"}.Made(Backup{UserID: "staffeln"}), "who has no name made nothing")
}

func TestAdoptable(t *testing.T) {
	fresh := func() (Record, Backup) {
		return Record{ID: "r1", State: Creating, VolumeID: "v", ProjectID: "A", RequestedAt: new(now)},
			Backup{ID: "b1", VolumeID: "v", ProjectID: "A", UserID: "staffeln", CreatedAt: now, Metadata: tag.Metadata()}
	}
	r, b := fresh()
	require.True(t, me.Adoptable(r, b))
	b.CreatedAt = now.Add(-2 * time.Hour)
	require.True(t, me.Adoptable(r, b), "clocks differ")
	r.BackupName, b.Name, b.CreatedAt = "web_root_1773144000", "web_root_1773144000", now.AddDate(0, -2, 0)
	require.True(t, me.Adoptable(r, b), "Cinder's clock is wrong")
	b.Name = "web_root_1773140000"
	require.False(t, me.Adoptable(r, b), "it is old, and named for another request")

	for name, spoil := range map[string]func(*Record, *Backup){
		"another installation":         func(_ *Record, b *Backup) { b.Metadata[TagInstallation] = "clone" },
		"another record":               func(_ *Record, b *Backup) { b.Metadata[TagRecord] = "r2" },
		"no tag":                       func(_ *Record, b *Backup) { b.Metadata = nil },
		"made by a tenant":             func(_ *Record, b *Backup) { b.UserID = "tenant" },
		"of another volume":            func(_ *Record, b *Backup) { b.VolumeID = "w" },
		"of another project":           func(_ *Record, b *Backup) { b.ProjectID = "B" },
		"older than the request":       func(_ *Record, b *Backup) { b.CreatedAt = now.Add(-2*time.Hour - time.Second) },
		"the record has a backup":      func(r *Record, _ *Backup) { r.BackupID = "b0" },
		"nothing was ever asked":       func(r *Record, _ *Backup) { r.RequestedAt = nil },
		"the record does not wait":     func(r *Record, _ *Backup) { r.State = Planned },
		"the record's attempt is over": func(r *Record, _ *Backup) { r.State = Failed },
	} {
		r, b := fresh()
		spoil(&r, &b)
		require.False(t, me.Adoptable(r, b), name)
	}
}

func TestName(t *testing.T) {
	at := time.Unix(1773144000, 0)
	require.Equal(t, "web_root_1773144000", Name(at, "web", "root"))
	require.Equal(t, "__1773144000", Name(at, "", ""))
	long := Name(at, strings.Repeat("s", 300), strings.Repeat("v", 300))
	require.Equal(t, strings.Repeat("s", 100)+"_"+strings.Repeat("v", 100)+"_1773144000", long)
	// Characters are counted, not bytes, and no character is cut.
	wide := Name(at, strings.Repeat("ü", 101), "日本\xff")
	require.Equal(t, strings.Repeat("ü", 100)+"_日本?_1773144000", wide)
	require.True(t, utf8.ValidString(wide))
	require.Equal(t, "abc", cut("abcd", 3))
}
