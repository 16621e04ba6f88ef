package db

import (
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// protectionFacts is [backup.ProtectionFacts] as a bit set. The database counts and filters by it and does not know which
// protection follows from it.
type protectionFacts int

const (
	volumeGone protectionFacts = 1 << iota
	isWanted
	isUnseen
	hasPoint
	isPastRPO
	allFacts = isPastRPO<<1 - 1
)

func (f protectionFacts) decode() backup.ProtectionFacts {
	return backup.ProtectionFacts{Gone: f&volumeGone != 0, Wanted: f&isWanted != 0, Unseen: f&isUnseen != 0, HasPoint: f&hasPoint != 0, PastRPO: f&isPastRPO != 0}
}

// factsOf returns all sets of facts that result in one of the given protections.
func factsOf(protections ...backup.Protection) []protectionFacts {
	wanted := []protectionFacts{}
	for f := range allFacts + 1 {
		if slices.Contains(protections, f.decode().Protection()) {
			wanted = append(wanted, f)
		}
	}
	return wanted
}

// lateAfter is [backup.RPO.Of] for a volume with that usual duration.
const lateAfter = `least(@due::interval + usual, nullif(@most::interval, '0'))`

// rpoArgs returns the arguments of [protections].
func rpoArgs(now time.Time, rpo backup.RPO, project string) pgx.NamedArgs {
	return pgx.NamedArgs{"now": now, "due": rpo.Due + rpo.Grace, "most": rpo.Most, "project": storable(project)}
}

// protections selects each volume with the facts of its protection. If a plan cannot decide about a volume, the previous
// decision and its time are kept. Restore points of a former owner's project do not count.
const protections = `(
	SELECT v.id, v.name, v.project_id, v.project_name, v.server_id, v.server_name, v.size_gib,
		CASE WHEN unseen AND v.gone_at IS NULL THEN 'not_seen' ELSE v.reason END AS reason, newest_at, v.protected_since, usual,
		(v.gone_at IS NOT NULL)::int + 2 * v.protected::int + 4 * unseen::int + 8 * (newest_at IS NOT NULL)::int
			+ 16 * coalesce(coalesce(newest_at, v.protected_since) + ` + lateAfter + ` < @now, false)::int AS facts
	FROM volumes v CROSS JOIN LATERAL (SELECT v.unknown OR v.decided_at IS NULL AS unseen, coalesce(v.usual_duration, '0') AS usual) seen CROSS JOIN LATERAL (
		SELECT max(data_timestamp) AS newest_at FROM records WHERE volume_id = v.id AND project_id = v.project_id AND ` + isRestorePoint + `) newest`

// protectionsOf returns [protections] for one project's volumes, or for all.
func protectionsOf(project string) string {
	if project == "" {
		return protections + `) volumes`
	}
	return protections + ` WHERE v.project_id = @project) volumes`
}
