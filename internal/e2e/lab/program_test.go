//go:build openstack

package lab

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit"
)

// labProgram is the whole program: its processes and its database.
type labProgram struct {
	*labTest

	installation string
	env          map[string]string
	db           *pgxpool.Pool
	schedulers   []*rig.Process
	workers      []*rig.Process
	seen         map[string]*labSeenBackup // by ID, every backup of ours that Cinder ever showed
}

// start migrates an empty database and starts two schedulers and two workers, with the account of the OS_* variables or with
// the given settings.
func (s *labTest) start(settings map[string]string) *labProgram {
	s.t.Helper()
	p := &labProgram{labTest: s, env: maps.Clone(s.service), seen: map[string]*labSeenBackup{}}
	url := settings["STAFFELN_DATABASE_URL"]
	if url == "" {
		url = testkit.DatabaseURL(s.t, nil)
	}
	maps.Copy(p.env, map[string]string{
		"STAFFELN_DATABASE_URL": url, "STAFFELN_REDIS_URL": testkit.RedisURL(s.t), "STAFFELN_METRICS_LISTEN": "127.0.0.1:0",
		"STAFFELN_ALLOW_SHORT_PERIODS": "true", "STAFFELN_BACKUP_SERVICE_PERIOD": "5", "STAFFELN_POLL_PERIOD": "1",
		"STAFFELN_RETENTION_SERVICE_PERIOD": "1", "STAFFELN_RECONCILE_PERIOD": "15", "STAFFELN_RETENTION_MIN": "", "STAFFELN_PROTECTION_GRACE": "0",
		"STAFFELN_BACKUP_METADATA_KEY": s.key, "STAFFELN_RETENTION_METADATA_KEY": s.retentionKey(),
	})
	maps.Copy(p.env, settings)
	output, code := rig.Output(s.t, p.env, "migrate", "up")
	require.Zero(s.t, code, "migrate up: %s", output)
	var err error
	p.db, err = pgxpool.New(s.ctx(), url)
	require.NoError(s.t, err)
	s.t.Cleanup(p.db.Close)
	require.NoError(s.t, p.db.QueryRow(s.ctx(), `SELECT id FROM installation`).Scan(&p.installation))
	p.run()
	s.t.Cleanup(func() {
		if s.t.Failed() {
			s.t.Logf("records:\n%s", p.describe(p.records("true")))
			s.t.Logf("warnings and errors:\n%s", strings.Join(append(p.logged("warn"), p.logged("error")...), "\n"))
		}
	})
	return p
}

func (p *labProgram) run() {
	for range 2 {
		p.schedulers = append(p.schedulers, rig.Launch(p.t, p.env, "scheduler"))
		p.workers = append(p.workers, rig.Launch(p.t, p.env, "worker"))
	}
}

// restart stops all processes and starts new ones with other settings.
func (p *labProgram) restart(settings map[string]string) {
	p.t.Helper()
	p.end()
	maps.Copy(p.env, settings)
	p.run()
}

// end stops all processes and asserts that they end gracefully.
func (p *labProgram) end() {
	p.t.Helper()
	for _, one := range append(p.schedulers, p.workers...) {
		one.Stop()
		if state := one.Cmd.ProcessState; state.Exited() { // else the test killed it
			require.Zero(p.t, state.ExitCode(), "exit code of %s", one.Name)
		}
	}
}

// logged returns the log lines of all processes with this level.
func (p *labProgram) logged(level string) (lines []string) {
	for _, one := range append(p.schedulers, p.workers...) {
		for line := range strings.Lines(one.Log.String()) {
			if strings.Contains(line, `"level":"`+level+`"`) {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return lines
}

// labRecord is a row of the table records.
type labRecord struct {
	ID, ProjectID, VolumeID, VolumeName, ServerName              string
	State, Kind, Reason, ReasonText, RemovalReason               string
	BackupID, BackupName                                         string
	PlannedAt, ChangedAt                                         time.Time
	RequestedAt, AvailableAt, DataTimestamp, DeletionRequestedAt *time.Time
}

// records returns the records that match a condition, by volume, oldest first.
func (p *labProgram) records(where string, args ...any) []labRecord {
	p.t.Helper()
	rows, err := p.db.Query(p.ctx(), `SELECT id, project_id, volume_id, volume_name, server_name, state, kind, reason, reason_text, removal_reason,
		coalesce(backup_id, '') AS backup_id, backup_name, planned_at, changed_at, requested_at, available_at, data_timestamp, deletion_requested_at
		FROM records WHERE `+where+` ORDER BY volume_id, coalesce(data_timestamp, requested_at, changed_at)`, args...)
	require.NoError(p.t, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[labRecord])
	require.NoError(p.t, err)
	return all
}

// count returns the number of records that match a condition.
func (p *labProgram) count(where string, args ...any) int {
	p.t.Helper()
	return len(p.records(where, args...))
}

// kinds returns the kinds of all restore points that a volume ever had, oldest first, for example FIIF.
func (p *labProgram) kinds(volume string) string {
	p.t.Helper()
	var b strings.Builder
	for _, r := range p.records("volume_id = $1 AND available_at IS NOT NULL", volume) {
		b.WriteString(strings.ToUpper(r.Kind[:1]))
	}
	return b.String()
}

// describe returns a text with one line per record.
func (p *labProgram) describe(records []labRecord) string {
	var b strings.Builder
	for _, r := range records {
		fmt.Fprintf(&b, "  %s %-11s %-9s backup %s", r.VolumeName, r.Kind, r.State, r.BackupName)
		if r.Reason != "" {
			fmt.Fprintf(&b, ", %s: %s", r.Reason, r.ReasonText)
		}
		if r.RemovalReason != "" {
			fmt.Fprintf(&b, ", removal %s at %s", r.RemovalReason, r.ChangedAt.UTC().Format(time.TimeOnly))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// leader returns the leading process and its term; nil: no scheduler leads.
func (p *labProgram) leader() (leads *rig.Process, term int) {
	p.t.Helper()
	var name string
	require.NoError(p.t, p.db.QueryRow(p.ctx(), `SELECT leader, term FROM leadership`).Scan(&name, &term))
	for _, s := range p.schedulers {
		if strings.HasSuffix(name, fmt.Sprintf("/%d", s.Cmd.Process.Pid)) {
			leads = s
		}
	}
	return leads, term
}
