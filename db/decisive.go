package db

// decisive joins volumes (v) with the records that [backup.Next] needs. Their number is bounded, however many backups of the
// volume failed or were removed:
//   - the record in progress, regardless of its planned_at (the clock may have been set back since);
//   - the records that Cinder may hold a backup of, from the newest available full on, or the newest four hundred if there is
//     none. Of leftovers, the newest twenty. If a clock that ran ahead dated a backup, Cinder may use that backup as the
//     parent, so they begin with the full of that backup's chain;
//   - the newest success among those that Cinder no longer has;
//   - the newest failures that left nothing in Cinder: incrementals that ended in error, others, and the newest one caused by
//     the volume's status. Sixteen failures already give the longest delay ([backup.Policy]).
//
// Each group has an index of its own in the schema, and no record is in two groups.
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
	SELECT * FROM records e WHERE e.volume_id = v.id AND e.project_id = v.project_id AND ` + isOtherFailure + `
		ORDER BY e.ended_at DESC LIMIT 16)
	UNION ALL (
	SELECT * FROM records e WHERE e.volume_id = v.id AND e.project_id = v.project_id AND ` + isIncrementalFailure + `
		ORDER BY e.ended_at DESC LIMIT 16)
	UNION ALL (
	SELECT * FROM records e WHERE e.volume_id = v.id AND e.project_id = v.project_id AND ` + isVolumeStatusFailure + `
		ORDER BY e.ended_at DESC LIMIT 1)) records`
