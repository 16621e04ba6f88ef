package backup

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	ourUser         = "our-user"
	ourInstallation = "our-installation"
)

func TestJudgement_BackupsThatMayBeOursAreRefusedToOthers(t *testing.T) {
	us := Identity{Installation: ourInstallation, UserID: ourUser}
	states := []State{Planned, Creating, Available, Overdue, Deleting, Deleted, Withdrawn, Failed, Lost, Undeletable}
	posted := map[string]Backup{
		"no data": {}, "of a tenant": {UserID: "alice", Description: "mine"}, "by our user": {UserID: ourUser},
		"tagged": {UserID: "alice", Metadata: map[string]string{TagInstallation: ourInstallation}}, "described": {UserID: "alice", Description: "x " + TagInstallation + "=" + ourInstallation},
	}
	for _, state := range states {
		for reported, b := range posted {
			for _, by := range []string{"", "alice", "admin", ourUser} {
				for _, repair := range []Repair{"", Force, Reset} {
					v := DeleteRequest{us, true, state, repair, b, by}.Judgement()
					own := by == ourUser && state != Deleted && (state == Deleting || repair == Force)
					unknown := state == Deleted && (reported == "no data" || reported == "of a tenant")
					require.Equal(t, own || unknown, v.Allowed(), "%s, %s, by %q, repair %q: %s", state, reported, by, repair, v)
				}
			}
		}
	}
}

func TestJudgement_WithoutARecordCindersDataDecides(t *testing.T) {
	us := Identity{Installation: ourInstallation, UserID: ourUser}
	for _, c := range []struct {
		reported Backup
		is       Judgement
	}{
		{Backup{}, NotOurs},
		{Backup{UserID: "alice", Metadata: map[string]string{"k": ourInstallation}, Description: "a copy of " + ourInstallation}, NotOurs},
		{Backup{UserID: ourUser}, MadeByUs},
		{Backup{Metadata: map[string]string{TagInstallation: ourInstallation}}, TaggedOurs},
		{Backup{Metadata: map[string]string{TagInstallation: "another", TagRecord: "r"}, Description: Tag{ourInstallation, "r"}.Description()}, TaggedOurs},
		{Backup{Description: "nightly\n" + Tag{ourInstallation, "r"}.Description()}, TaggedOurs},
		{Backup{Description: Tag{"another", "r"}.Description()}, NotOurs},
		{Backup{Description: "not" + TagInstallation + "=" + ourInstallation}, NotOurs},
	} {
		for _, by := range []string{"", "alice", ourUser} {
			require.Equal(t, c.is, DeleteRequest{Us: us, Backup: c.reported, By: by}.Judgement(), "%+v by %q", c.reported, by)
		}
	}
}

func TestJudgement_EmptyUserNeverMatches(t *testing.T) {
	require.Equal(t, NotOurs, DeleteRequest{Us: Identity{Installation: ourInstallation}}.Judgement(), "our identity is not known yet, and Cinder sent no data")
	require.Equal(t, OnRecord, DeleteRequest{Us: Identity{Installation: ourInstallation}, Recorded: true, State: Deleting}.Judgement())
	require.Equal(t, NotOurs, DeleteRequest{Us: Identity{UserID: ourUser}, Backup: Backup{Metadata: map[string]string{TagInstallation: ""}, Description: TagInstallation + "="}}.Judgement())
}
