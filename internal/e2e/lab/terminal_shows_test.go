//go:build openstack

package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// showsStatus checks that status lists the two late volumes with who must act, and with --volumes all five.
func (p *labTerminal) showsStatus() {
	p.t.Helper()
	var seen labStatus
	p.until("one volume is protected and two are late", 2*time.Minute, func() bool {
		seen = labStatus{}
		p.readJSON(&seen, "status", "--volumes")
		return seen.Volumes.Protected == 1 && seen.Volumes.Late == 2 && len(seen.Warnings) == 0
	})
	require.Zero(p.t, seen.Volumes.Waiting+seen.Volumes.Unknown)
	require.GreaterOrEqual(p.t, seen.Volumes.Unprotected, 2, "with those of others, which are seen and left alone, and may go at any time")
	stands := map[string]string{}
	for _, v := range seen.Listed {
		stands[v.VolumeID] = v.Protection
	}
	for one, want := range map[*labServer]string{p.healthy: "protected", p.late: "late", p.poor: "late", p.deleted: "unprotected", p.out: "unprotected"} {
		require.Equal(p.t, want, stands[one.Volumes[0]], one.Name)
	}
	failed := map[string]labReason{}
	for _, f := range seen.Failures {
		failed[f.VolumeID] = f.Reason
	}
	require.Equal(p.t, map[string]labReason{p.late.Volumes[0]: {"volume_status", "tenant"}, p.poor.Volumes[0]: {"quota_exceeded", "tenant"}}, failed)
	require.True(p.t, seen.Leader.Leads)
	require.Len(p.t, seen.Leader.Runs, 4)
	p.requireDocumented("status")

	output := p.text("status")
	for _, words := range []string{
		"VOLUMES late: no restore point younger than 35s", "FAILED (2) each volume's newest failure since its last success",
		"tenant " + p.late.Name + ", " + p.late.Name + ", " + p.prefix + "-acme The volume is in a status in which Cinder refuses a backup.",
		"tenant " + p.poor.Name + ", " + p.poor.Name + ", " + p.prefix + "-globex The project's backup quota is exhausted: remove backups or have it raised.",
		"leads, term 1,",
	} {
		require.Contains(p.t, output, words)
	}
	require.NotContains(p.t, output, "protected "+p.healthy.Name, "without --volumes only the late ones are listed")
	output = p.text("status", "--volumes")
	for _, words := range []string{"protected " + p.healthy.Name, "late " + p.late.Name, "late " + p.poor.Name, "unprotected " + p.deleted.Name, "unprotected " + p.out.Name} {
		require.Contains(p.t, output, words)
	}
}

// showsBackups checks each filter of the list of backups.
func (p *labTerminal) showsBackups() {
	p.t.Helper()
	type row struct {
		labObject
		Kind, State string
		Reason      labReason
		Kept        labReason `json:"kept_why"`
	}
	type list struct {
		Backups []row
		More    bool
	}
	for _, one := range []struct {
		args []string
		fits func(row) bool
		says []string
	}{
		{nil, func(row) bool { return true }, []string{"available", "failed", "floor"}},
		{[]string{"--volume", p.healthy.Volumes[0]}, func(r row) bool { return r.VolumeID == p.healthy.Volumes[0] }, []string{"full 1 available", "incr 1 available", "floor"}},
		{[]string{"--server", p.late.Name}, func(r row) bool { return r.ServerName == p.late.Name }, []string{"- 1 failed", "(volume_status) The tenant must act.", `the volume's status is "error"`}},
		{[]string{"--project", p.prefix + "-globex"}, func(r row) bool { return r.ProjectName == p.prefix+"-globex" }, []string{"1 failed", "(quota_exceeded) The tenant must act.", "BackupLimitExceeded"}},
		{[]string{"--state", "failed"}, func(r row) bool { return r.State == "failed" && r.Reason.MustAct == "tenant" }, []string{"(volume_status)", "(quota_exceeded)"}},
	} {
		args := append([]string{"backups"}, one.args...)
		var seen list
		p.readJSON(&seen, args...)
		require.NotEmpty(p.t, seen.Backups, "%v", args)
		for _, r := range seen.Backups {
			require.True(p.t, one.fits(r), "%v: %+v", args, r)
			require.Equal(p.t, r.Reason.Code == "volume_status", r.Kind == "", "Cinder was not asked: %+v", r)
		}
		// Which backup is kept by the floor changes while a new full is being made.
		p.until(fmt.Sprintf("%v shows %q", args, one.says), 2*time.Minute, func() bool {
			output := p.text(args...)
			return !slices.ContainsFunc(one.says, func(words string) bool { return !strings.Contains(output, words) })
		})
	}
	var seen list
	p.readJSON(&seen, "backups", "--limit", "2")
	require.Len(p.t, seen.Backups, 2)
	require.True(p.t, seen.More)
	require.Contains(p.t, p.text("backups", "--limit", "2"), "… and more: --limit 0 lists all.")
	require.Contains(p.t, p.text("backups", "--volume", p.out.Name), "None. `staffeln status --volumes` lists the volumes")
	p.requireDocumented("backups")
}

// showsRetention checks the expiry forecast: in an hour no restore point of the deleted server's volume is left, and the floor
// keeps those of the others.
func (p *labTerminal) showsRetention() {
	p.t.Helper()
	var seen struct{ Expiring, Staying []labExpiring }
	p.readJSON(&seen, "retention", "plan", "--days", "7")
	of := func(some []labExpiring, one *labServer) []labExpiring {
		return slices.DeleteFunc(slices.Clone(some), func(g labExpiring) bool { return g.VolumeID != one.Volumes[0] })
	}
	expiring := of(seen.Expiring, p.deleted)
	require.NotEmpty(p.t, expiring)
	require.True(p.t, expiring[len(expiring)-1].Last)
	for _, one := range []*labServer{p.late, p.poor} {
		stays := of(seen.Staying, one)
		require.NotEmpty(p.t, stays, one.Name)
		require.Equal(p.t, "restore_point_floor", stays[len(stays)-1].Reason.Code)
	}
	require.Empty(p.t, of(append(seen.Expiring, seen.Staying...), p.healthy), "it is kept for two weeks")
	p.requireDocumented("retention", "plan")

	output := p.text("retention", "plan", "--days", "7")
	for _, words := range []string{
		"This command removes nothing, and the forecast assumes no further backup.", "expired, last", "expired: Its retention is over.",
		"last: The volume has no restore point afterwards; the floor applies while it is protected, and for the grace after that.",
		"It is among the newest restore points that are always kept. (restore_point_floor)",
	} {
		require.Contains(p.t, output, words)
	}
	p.readJSON(&seen, "retention", "plan", "--days", "0")
	require.Empty(p.t, of(seen.Expiring, p.deleted), "not yet")
}

// warnsThatNobodyLeads checks that without a leader no command promises an action.
func (p *labTerminal) warnsThatNobodyLeads() {
	p.t.Helper()
	const warning = "WARNING: No scheduler leads now: nothing is planned, dispatched or removed."
	p.until("Postgres has noticed", time.Minute, func() bool { return strings.Contains(p.output("status"), warning) })
	for _, args := range [][]string{{"explain", p.healthy.Volumes[0]}, {"retention", "plan"}, {"backups"}} {
		require.Contains(p.t, strings.Join(strings.Fields(p.output(args...)), " "), warning)
	}
}
