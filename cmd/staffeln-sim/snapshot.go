package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// snapshot is the state of everything at one moment. All that the demo shows comes from snapshots.
type snapshot struct {
	at        time.Time // by the database's clock
	records   []record
	journal   []cloudsim.Event
	running   map[string]operation     // what Cinder makes or removes now, by backup
	usual     map[string]time.Duration // how long the newest finished backup of a volume took
	leader    int                      // process ID of the leader; 0 = none
	term      int64
	leases    int // volumes that a worker is working on now
	decisions map[string]backup.Reason
}

// record is what the demo reads of a record.
type record struct {
	ID, ProjectName, VolumeID, VolumeName, BackupID string
	SizeGiB                                         int `db:"size_gib"`
	State                                           backup.State
	Kind                                            backup.Kind
	Reason                                          backup.Reason
	ReasonText                                      string
	Retention                                       time.Duration
}

func (r record) name() string { return r.ProjectName + "/" + r.VolumeName }

// operation is the creation or removal of a backup that Cinder has begun.
type operation struct {
	since    time.Time
	removing bool
}

// takeSnapshot reads the tables and the journal.
func takeSnapshot(ctx context.Context, conn *pgx.Conn, sim *cloudsim.Cloud) (*snapshot, error) {
	s := &snapshot{decisions: map[string]backup.Reason{}}
	var leader string
	const leadership = `SELECT staffeln_now(), l.term, l.leader, (SELECT count(*) FROM volumes WHERE lease_until > staffeln_now()) FROM leadership l`
	if err := conn.QueryRow(ctx, leadership).Scan(&s.at, &s.term, &leader, &s.leases); err != nil {
		return nil, fmt.Errorf("read leadership: %w", err)
	}
	_, number, _ := strings.Cut(leader, "/")
	s.leader, _ = strconv.Atoi(number) // nobody leads yet

	const records = `SELECT id, project_name, volume_id, volume_name, coalesce(backup_id, '') AS backup_id, size_gib, state, kind, reason, reason_text, retention
		FROM records ORDER BY planned_at, requested_at, id`
	rows, err := conn.Query(ctx, records)
	if err == nil {
		s.records, err = pgx.CollectRows(rows, pgx.RowToStructByName[record])
	}
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	if err := s.readDecisions(ctx, conn); err != nil {
		return nil, err
	}
	s.follow(sim.Journal())
	return s, nil
}

func (s *snapshot) readDecisions(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `SELECT id, reason FROM volumes`)
	if err != nil {
		return fmt.Errorf("read volumes: %w", err)
	}
	var id string
	var reason backup.Reason
	_, err = pgx.ForEachRow(rows, []any{&id, &reason}, func() error { s.decisions[id] = reason; return nil })
	if err != nil {
		return fmt.Errorf("read volumes: %w", err)
	}
	return nil
}

// follow reads from the journal what is running and how long backups took.
func (s *snapshot) follow(journal []cloudsim.Event) {
	s.journal, s.running, s.usual = journal, map[string]operation{}, map[string]time.Duration{}
	for _, e := range journal {
		switch e.Kind {
		case cloudsim.BackupRequested:
			s.running[e.Backup] = operation{since: e.At}
		case cloudsim.BackupDeletion:
			s.running[e.Backup] = operation{since: e.At, removing: true}
		case cloudsim.BackupAvailable:
			s.usual[e.Volume] = e.At.Sub(s.running[e.Backup].since)
			delete(s.running, e.Backup)
		case cloudsim.BackupFailed, cloudsim.BackupDeleted:
			delete(s.running, e.Backup)
		}
	}
}

// count returns the number of records in these states.
func (s *snapshot) count(states ...backup.State) (n int) {
	for _, r := range s.records {
		for _, state := range states {
			if r.State == state {
				n++
			}
		}
	}
	return n
}

// events returns the number of events of a kind.
func (s *snapshot) events(kind string) (n int) {
	for _, e := range s.journal {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// inProgress returns the backups that Cinder is making now.
func (s *snapshot) inProgress() (ids []string) {
	for id, m := range s.running {
		if !m.removing {
			ids = append(ids, id)
		}
	}
	return ids
}

// of returns the records of one volume, oldest first.
func (s *snapshot) of(volume string) (all []record) {
	for _, r := range s.records {
		if r.VolumeID == volume {
			all = append(all, r)
		}
	}
	return all
}

// recordOf returns the record of a backup.
func (s *snapshot) recordOf(backupID string) (record, bool) {
	for _, r := range s.records {
		if r.BackupID == backupID {
			return r, true
		}
	}
	return record{}, false
}

// chains returns a volume's records that became backups, by chain.
func (s *snapshot) chains(volume string) (chains [][]record) {
	for _, r := range s.of(volume) {
		if r.State == backup.Failed || r.State == backup.Withdrawn || r.State == backup.Planned {
			continue
		}
		if len(chains) == 0 || r.Kind == backup.Full {
			chains = append(chains, nil)
		}
		chains[len(chains)-1] = append(chains[len(chains)-1], r)
	}
	return chains
}
