//go:build openstack

package lab

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"
)

// The chain follows the operator's settings, and nobody has to act.
func (p *labTerminal) explainsHealthy() {
	p.t.Helper()
	e, output := p.explain("a full and two incrementals, and fresh", p.healthy, func(e labExplained) bool {
		return len(e.Chains) > 0 && e.Chains[len(e.Chains)-1].Drawing == "[F]─[I]─[I]" && e.Now.Reason.Code == "backup_is_fresh" && len(e.Warnings)+len(e.WaitsFor) == 0
	})
	require.Equal(p.t, "protected", e.Protection)
	require.Equal(p.t, labObject{p.healthy.Volumes[0], p.healthy.Name, p.healthy.Name, p.prefix + "-acme"}, e.labObject)
	require.Equal(p.t, "yes by metadata "+p.key+" = true of server "+p.healthy.Name, e.policy("protection"))
	require.Equal(p.t, "10s by STAFFELN_BACKUP_MIN_INTERVAL", e.policy("interval"))
	require.Equal(p.t, "2 by STAFFELN_FULL_BACKUP_DEPTH", e.policy("incrementals_per_full"))
	require.Equal(p.t, "2w by metadata "+p.retentionKey()+" of server "+p.healthy.Name, e.policy("retention"))
	require.Equal(p.t, "1 restore point by default of STAFFELN_MIN_RESTORE_POINTS", e.policy("floor"))
	require.Equal(p.t, "35s by interval + STAFFELN_RPO_GRACE", e.policy("late_after"))
	for i, l := range e.Chains[len(e.Chains)-1].Links {
		require.Equal(p.t, "available", l.State)
		require.Equal(p.t, []string{"restore_point_floor_depends_on_it", "restore_point_floor_depends_on_it", "restore_point_floor"}[i], l.Why.Code)
		require.Greater(p.t, l.Expires.Sub(e.At), 13*24*time.Hour)
	}
	require.NotNil(p.t, e.Ahead)
	require.Equal(p.t, "create full chain_complete", e.Ahead.Action+" "+e.Ahead.Kind+" "+e.Ahead.Reason.Code)
	require.Nil(p.t, e.Failure)
	for _, words := range []string{
		"protection protected: newest restore point", "(late if older than 35s)", "[F]─[I]─[I]",
		"kept: It is among the newest restore points that are always kept.",
		"WAITS FOR Only for time to pass, or for a change in the cloud.",
		"a full backup is planned. The chain has all its incrementals; a new full begins the next one. (chain_complete)",
	} {
		require.Contains(p.t, output, words)
	}
	require.Regexp(p.t, `LAST DECISION \S+ \S+, \S+ ago: (a backup|nothing) was planned\. .* \((chain_continues|backup_in_progress|backup_is_fresh)\)`, output)
}

// An administrator has set the volume to error. The tenant must act, and the backups continue as soon as the status is right.
func (p *labTerminal) explainsLate() {
	p.t.Helper()
	e, output := p.explain("late, in a wrong status", p.late, func(e labExplained) bool {
		return e.Protection == "late" && e.Now.Reason.Code == "volume_status" && e.Now.Action == "wait"
	})
	require.Equal(p.t, "error", e.Status)
	require.Equal(p.t, labReason{"volume_status", "tenant"}, e.Last.Reason)
	require.Equal(p.t, labReason{"volume_status", "tenant"}, e.Failure.Reason)
	require.Nil(p.t, e.Ahead, "no time ends it")
	require.Equal(p.t, "15s by STAFFELN_RETENTION_TIME", e.policy("retention"))
	require.Empty(p.t, e.Expiring, "the floor")
	for _, words := range []string{
		"protection LATE: newest restore point", "ago: older than 35s)", "status error,",
		"why The volume is in a status in which Cinder refuses a backup. (volume_status) The tenant must act.",
		`In full: the volume's status is "error"; backups are made of available and in-use volumes`,
		`The tenant, to bring the volume from status "error" to available or in-use: the next plan that sees it so plans a backup.`,
		"EXPIRY if no further backup is made; removed by the next retention runs Nothing.",
	} {
		require.Contains(p.t, output, words)
	}
}

// The tenant's quota is exhausted. Staffeln retries regularly.
func (p *labTerminal) explainsOverQuota() {
	p.t.Helper()
	e, output := p.explain("late, over quota", p.poor, func(e labExplained) bool {
		return e.Protection == "late" && e.Now.Reason.Code == "retry_later" && e.Failure != nil && len(e.WaitsFor) == 2
	})
	require.Equal(p.t, labReason{"quota_exceeded", "tenant"}, e.Failure.Reason)
	require.Contains(p.t, e.Failure.Text, "BackupLimitExceeded")
	require.Regexp(p.t, "^req-", e.Failure.RequestID)
	require.NotNil(p.t, e.Ahead)
	require.Equal(p.t, "create", e.Ahead.Action)
	for _, words := range []string{
		"protection LATE: newest restore point",
		"why The project's backup quota is exhausted: remove backups or have it raised. (quota_exceeded) The tenant must act.",
		"Maximum number of backups allowed (", "The tenant, to act on the last failure (quota_exceeded). The next attempt, at ",
		e.Ahead.Kind + " backup is planned. ",
	} {
		require.Contains(p.t, output, words)
	}
}

// The server is deleted: there are no further backups of its volume, and the existing ones expire by their retention.
func (p *labTerminal) explainsServerDeleted() {
	p.t.Helper()
	e, output := p.explain("not protected any more", p.deleted, func(e labExplained) bool { return e.Protection == "unprotected" })
	require.Equal(p.t, "no by it is attached to no server", e.policy("protection"))
	require.Equal(p.t, "1h by the last known stays: metadata "+p.retentionKey()+" of server "+p.deleted.Name, e.policy("retention"))
	require.Contains(p.t, e.policy("floor"), "none by only a protected volume has one")
	require.Equal(p.t, labReason{"not_protected", "nobody"}, e.Now.Reason)
	require.Nil(p.t, e.Ahead)
	require.NotEmpty(p.t, e.Expiring)
	expiring := e.Expiring[len(e.Expiring)-1]
	require.True(p.t, expiring.Last)
	require.Equal(p.t, "expired", expiring.Reason.Code)
	require.WithinDuration(p.t, e.At.Add(time.Hour), *expiring.At, 3*time.Minute)
	for _, words := range []string{
		"(the last that asked for backups)", "protection unprotected: newest restore point", "protection no it is attached to no server",
		fmt.Sprintf("The tenant, if it is to be backed up: %s = true in the metadata of a server that it is attached to.", p.key),
		"Its retention is over. Then no restore point is left.",
	} {
		require.Contains(p.t, output, words)
	}
}

// The tenant has set the metadata to false.
func (p *labTerminal) explainsNotProtected() {
	p.t.Helper()
	e, output := p.explain("not protected", p.out, func(e labExplained) bool { return e.Protection == "unprotected" })
	require.Equal(p.t, "no by no server that it is attached to has "+p.key+" = true", e.policy("protection"))
	require.Equal(p.t, "none by the volume was never protected", e.policy("retention"))
	require.Empty(p.t, e.Chains)
	require.Equal(p.t, "wait", e.Last.Action)
	require.Equal(p.t, labReason{"not_protected", "nobody"}, e.Last.Reason)
	for _, words := range []string{
		"server no server of this volume has asked for backups", "protection unprotected: no restore point",
		"CHAINS None: Cinder has no backup of this volume made by Staffeln.", "Now: nothing is planned, for the same reason. (not_protected)",
		fmt.Sprintf("The tenant, if it is to be backed up: %s = true in the metadata of a server that it is attached to.", p.key),
	} {
		require.Contains(p.t, output, words)
	}
}
