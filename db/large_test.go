package db

import "github.com/stretchr/testify/require"

// fill writes many volumes with ten records each: two removed links, then chains of a full and two incrementals. One percent
// of the volumes have a backup in progress, one percent a removal, one percent a failed leftover, and ten percent are planned.
// Five percent have no retention.
func (h *harness) fill(volumes int) {
	h.t.Helper()
	h.exec(`
		INSERT INTO volumes (id, name, project_id, project_name, server_id, server_name, availability_zone, status, size_gib, encrypted, protected,
			retention, retention_source, seen_at)
		SELECT 'volume-' || lpad(v::text, 27, '0'), 'disk ' || v, md5((v % 200)::text), 'project', md5(v::text), 'server ' || v, 'zone ' || v % 3,
			'in-use', 10, false, v % 20 <> 0, CASE WHEN v % 20 <> 0 THEN interval '14 days' END, 'default', staffeln_now()
		FROM generate_series(1, $1::int) AS v`, volumes)
	h.exec(`
		INSERT INTO records (project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted, state, kind,
			retention, planned_at, last_point_at, requested_at, deadline, changed_at, available_at, ended_at, backup_id, backup_name, data_timestamp, reason)
		SELECT v.project_id, 'project', v.server_id, v.server_name, v.id, v.name, v.availability_zone, 10, false, s.state,
			CASE WHEN n % 3 = 0 THEN 'full' ELSE 'incremental' END, '14 days', at, at - interval '1 day',
			CASE WHEN s.state <> 'planned' THEN at END, CASE WHEN s.state <> 'planned' THEN at + interval '6 hours' END, at,
			CASE WHEN s.state IN ('available', 'deleting', 'deleted') THEN at END,
			CASE WHEN s.state NOT IN ('planned', 'creating') THEN at END,
			CASE WHEN s.state <> 'planned' THEN gen_random_uuid()::text END, 'server_disk_1700000000',
			CASE WHEN s.state IN ('available', 'deleting', 'deleted') THEN at END, 'code'
		FROM (SELECT *, row_number() OVER (ORDER BY id) AS v FROM volumes) AS v, generate_series(0, 9) AS n,
			LATERAL (SELECT CASE
				WHEN n < 2 THEN 'deleted' WHEN n < 9 THEN 'available'
				WHEN v % 10 = 0 THEN 'planned' WHEN v % 100 = 1 THEN 'creating' WHEN v % 100 = 2 THEN 'deleting' WHEN v % 100 = 3 THEN 'failed'
				ELSE 'available' END AS state) AS s,
			LATERAL (SELECT staffeln_now() - (10 - n) * interval '1 day' AS at) AS t`)
	for _, table := range []string{"volumes", "records"} {
		_, err := h.db.pool.Exec(h.ctx, "VACUUM ANALYZE "+table)
		require.NoError(h.t, err)
	}
}
