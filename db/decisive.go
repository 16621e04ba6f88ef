package db

// decisive joins volumes (v) with the records that [backup.Next] needs, however
// many backups of the volume failed or were removed:
//   - the one in progress, wherever its beat is (the clock may have been set back since);
//   - what Cinder may hold of it, from the newest available full on; where there
//     is none, the newest four hundred. Leftovers: the newest twenty. Where a clock
//     that ran ahead dated a backup, Cinder may go on with that one's chain, so
//     from that one's full on;
//   - the newest success, where Cinder no longer has it;
//   - the newest failures that left nothing: of incrementals that ended in error,
//     of others, and the newest by the volume's status. The delay that failures
//     make is at its cap with sixteen ([backup.Policy]).
//
// Each has an index of its own in the schema, and no record is in two of them.
var decisive = `volumes v LEFT JOIN LATERAL (
	SELECT f.planned_at FROM records f WHERE f.volume_id = v.id AND ` + isAvailable + ` AND f.kind = 'full' AND f.project_id = v.project_id
		ORDER BY f.planned_at DESC LIMIT 1) latest ON true LEFT JOIN LATERAL (
	SELECT f.planned_at FROM (
		SELECT a.planned_at FROM records a WHERE a.volume_id = v.id AND a.project_id = v.project_id AND ` + isAvailable + ` AND a.cinder_timestamp > a.data_timestamp
			ORDER BY a.cinder_timestamp DESC LIMIT 1) top CROSS JOIN LATERAL (
		SELECT f.planned_at FROM records f WHERE f.volume_id = v.id AND ` + isAvailable + ` AND f.kind = 'full' AND f.project_id = v.project_id AND f.planned_at <= top.planned_at
			ORDER BY f.planned_at DESC LIMIT 1) f) ahead ON true CROSS JOIN LATERAL (
	SELECT least(latest.planned_at, ahead.planned_at) AS planned_at) newest CROSS JOIN LATERAL (
	SELECT * FROM records p WHERE p.volume_id = v.id AND ` + isInProgress + `
	UNION ALL (
	SELECT * FROM records h WHERE h.volume_id = v.id AND ` + wasMade + `
		AND h.planned_at >= coalesce(newest.planned_at, '-infinity')
		ORDER BY h.planned_at DESC LIMIT CASE WHEN newest.planned_at IS NULL THEN 400 END)
	UNION ALL (
	SELECT * FROM records l WHERE l.volume_id = v.id AND ` + isLeftoverRemoval + ` AND l.planned_at >= coalesce(newest.planned_at, '-infinity')
		ORDER BY l.planned_at DESC LIMIT 20)
	UNION ALL (
	SELECT * FROM records s WHERE s.volume_id = v.id AND s.project_id = v.project_id AND ` + isDeleted + ` AND s.available_at IS NOT NULL
		ORDER BY s.planned_at DESC FETCH FIRST 1 ROW WITH TIES)
	UNION ALL (
	SELECT * FROM records e WHERE e.volume_id = v.id AND e.project_id = v.project_id AND ` + isFailure + `
		AND e.reason <> 'volume_status' AND NOT (e.kind = 'incremental' AND e.reason = 'backup_error')
		ORDER BY e.ended_at DESC LIMIT 16)
	UNION ALL (
	SELECT * FROM records e WHERE e.volume_id = v.id AND e.project_id = v.project_id AND ` + isFailure + `
		AND e.kind = 'incremental' AND e.reason = 'backup_error'
		ORDER BY e.ended_at DESC LIMIT 16)
	UNION ALL (
	SELECT * FROM records e WHERE e.volume_id = v.id AND e.project_id = v.project_id AND ` + isFailure + `
		AND e.reason = 'volume_status'
		ORDER BY e.ended_at DESC LIMIT 1)) records`
