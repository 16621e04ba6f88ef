package backup

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	ourUser  = "our-user"
	ourHouse = "our-installation"
)

func TestVerdict_BackupsThatMayBeOursAreRefusedToOthers(t *testing.T) {
	us := Identity{Installation: ourHouse, UserID: ourUser}
	states := []State{Planned, Creating, Available, Overdue, Deleting, Deleted, Withdrawn, Failed, Lost, Undeletable}
	posted := map[string]Backup{
		"nothing told": {}, "of a tenant": {UserID: "alice", Description: "mine"}, "by our user": {UserID: ourUser},
		"tagged": {UserID: "alice", Metadata: map[string]string{TagInstallation: ourHouse}}, "described": {UserID: "alice", Description: "x " + TagInstallation + "=" + ourHouse},
	}
	for _, state := range states {
		for reported, b := range posted {
			for _, by := range []string{"", "alice", "admin", ourUser} {
				for _, repair := range []Repair{"", Force, Reset} {
					v := Deletion{us, true, state, repair, b, by}.Verdict()
					own := by == ourUser && state != Deleted && (state == Deleting || repair == Force)
					unknown := state == Deleted && (reported == "nothing told" || reported == "of a tenant")
					require.Equal(t, own || unknown, v.Allowed(), "%s, %s, by %q, repair %q: %s", state, reported, by, repair, v)
				}
			}
		}
	}
}

func TestVerdict_WithoutARecordCindersDataDecides(t *testing.T) {
	us := Identity{Installation: ourHouse, UserID: ourUser}
	for _, c := range []struct {
		reported Backup
		is       Verdict
	}{
		{Backup{}, NotOurs},
		{Backup{UserID: "alice", Metadata: map[string]string{"k": ourHouse}, Description: "a copy of " + ourHouse}, NotOurs},
		{Backup{UserID: ourUser}, MadeByUs},
		{Backup{Metadata: map[string]string{TagInstallation: ourHouse}}, TaggedOurs},
		{Backup{Metadata: map[string]string{TagInstallation: "another", TagRecord: "r"}, Description: Tag{ourHouse, "r"}.Description()}, TaggedOurs},
		{Backup{Description: "nightly\n" + Tag{ourHouse, "r"}.Description()}, TaggedOurs},
		{Backup{Description: Tag{"another", "r"}.Description()}, NotOurs},
		{Backup{Description: "not" + TagInstallation + "=" + ourHouse}, NotOurs},
	} {
		for _, by := range []string{"", "alice", ourUser} {
			require.Equal(t, c.is, Deletion{Us: us, Backup: c.reported, By: by}.Verdict(), "%+v by %q", c.reported, by)
		}
	}
}

func TestVerdict_EmptyUserNeverMatches(t *testing.T) {
	require.Equal(t, NotOurs, Deletion{Us: Identity{Installation: ourHouse}}.Verdict(), "nobody has said yet who we are, and Cinder told nothing")
	require.Equal(t, OnRecord, Deletion{Us: Identity{Installation: ourHouse}, Recorded: true, State: Deleting}.Verdict())
	require.Equal(t, NotOurs, Deletion{Us: Identity{UserID: ourUser}, Backup: Backup{Metadata: map[string]string{TagInstallation: ""}, Description: TagInstallation + "="}}.Verdict())
}
