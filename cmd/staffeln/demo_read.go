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

// sight is one look at everything: all that the demo shows and tells comes from here.
type sight struct {
	now       time.Time // the database's clock
	records   []demoRecord
	journal   []cloudsim.Event
	making    map[string]making        // what Cinder makes or removes now, by backup
	usual     map[string]time.Duration // how long the newest backup of a volume took that is done
	leader    int                      // the process that leads; 0 = none
	term      int64
	leases    int // volumes that a worker is working on at this moment
	decisions map[string]backup.Reason
}

// demoRecord is what the demo reads of a record.
type demoRecord struct {
	ID, ProjectName, VolumeID, VolumeName, BackupID string
	SizeGiB                                         int `db:"size_gib"`
	State                                           backup.State
	Kind                                            backup.Kind
	Reason                                          backup.Reason
	ReasonText                                      string
	Retention                                       time.Duration
}

func (r demoRecord) name() string { return r.ProjectName + "/" + r.VolumeName }

// making is a backup that Cinder has begun to make, or to remove.
type making struct {
	since    time.Time
	removing bool
}

// seeAll reads the tables and the journal.
func seeAll(ctx context.Context, conn *pgx.Conn, sim *cloudsim.Cloud) (*sight, error) {
	s := &sight{decisions: map[string]backup.Reason{}}
	var leader string
	const standing = `SELECT staffeln_now(), l.term, l.leader, (SELECT count(*) FROM volumes WHERE lease_until > staffeln_now()) FROM leadership l`
	if err := conn.QueryRow(ctx, standing).Scan(&s.now, &s.term, &leader, &s.leases); err != nil {
		return nil, fmt.Errorf("read leadership: %w", err)
	}
	_, number, _ := strings.Cut(leader, "/")
	s.leader, _ = strconv.Atoi(number) // nobody leads yet, or it is told as a follower

	const records = `SELECT id, project_name, volume_id, volume_name, coalesce(backup_id, '') AS backup_id, size_gib, state, kind, reason, reason_text, retention
		FROM records ORDER BY planned_at, requested_at, id`
	rows, err := conn.Query(ctx, records)
	if err == nil {
		s.records, err = pgx.CollectRows(rows, pgx.RowToStructByName[demoRecord])
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

func (s *sight) readDecisions(ctx context.Context, conn *pgx.Conn) error {
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

// follow finds in the journal what is under way and how long things took.
func (s *sight) follow(journal []cloudsim.Event) {
	s.journal, s.making, s.usual = journal, map[string]making{}, map[string]time.Duration{}
	for _, e := range journal {
		switch e.Kind {
		case cloudsim.BackupRequested:
			s.making[e.Backup] = making{since: e.At}
		case cloudsim.BackupDeletion:
			s.making[e.Backup] = making{since: e.At, removing: true}
		case cloudsim.BackupAvailable:
			s.usual[e.Volume] = e.At.Sub(s.making[e.Backup].since)
			delete(s.making, e.Backup)
		case cloudsim.BackupFailed, cloudsim.BackupDeleted:
			delete(s.making, e.Backup)
		}
	}
}

// count counts the records in one of these states.
func (s *sight) count(states ...backup.State) (n int) {
	for _, r := range s.records {
		for _, state := range states {
			if r.State == state {
				n++
			}
		}
	}
	return n
}

// events counts those of a kind.
func (s *sight) events(kind string) (n int) {
	for _, e := range s.journal {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// inProgress are the backups that Cinder is making now.
func (s *sight) inProgress() (ids []string) {
	for id, m := range s.making {
		if !m.removing {
			ids = append(ids, id)
		}
	}
	return ids
}

// of are the records of one volume, oldest first.
func (s *sight) of(volume string) (all []demoRecord) {
	for _, r := range s.records {
		if r.VolumeID == volume {
			all = append(all, r)
		}
	}
	return all
}

// holder is the record that holds a backup.
func (s *sight) holder(backupID string) (demoRecord, bool) {
	for _, r := range s.records {
		if r.BackupID == backupID {
			return r, true
		}
	}
	return demoRecord{}, false
}

// chains are a volume's records that became backups, by the chain they are in.
func (s *sight) chains(volume string) (chains [][]demoRecord) {
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
