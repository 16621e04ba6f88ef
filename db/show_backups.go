package db

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// A Filter selects records; empty fields select all.
type Filter struct {
	Only                    string     // the ID of the owning project, in addition to all other fields: what the user may see
	Project, Server, Volume string     // an ID or a name
	VolumeID                string     // an ID, never a name
	States                  []string   // by [backup.Record.Outcome]
	Reason                  string     // why it failed, or of the state
	EndedSince              *time.Time // when the attempt ended
	From, Until             *time.Time // by [backup.Record.HappenedAt]; Until is excluded
	Search                  string     // a part of a name or an ID
	ByVolume                bool       // by the volume's name, and then by time; otherwise by time
	OldestFirst             bool       // by volume: in the order of the alphabet
	After                   *Cursor    // only records after it in that order
	Before                  *Cursor    // or only the records directly before it
	Limit                   int        // 0 = no limit
}

// A Cursor is a record's position in a list.
type Cursor struct {
	At       time.Time
	Name, ID string // of the volume, and of the record
}

// cursorAt is the time by which lists of records are sorted, as in [backup.Record.HappenedAt]; there are indexes on it.
const cursorAt = `coalesce(data_timestamp, requested_at, created_at)`

// CursorOf returns the position of a record.
func CursorOf(r backup.Record) Cursor {
	return Cursor{At: r.HappenedAt(), Name: r.VolumeName, ID: r.ID}
}

// Backups returns the records that f selects, newest first unless f has another order.
func (l *Snapshot) Backups(ctx context.Context, f Filter) ([]backup.Record, error) {
	if f.Volume != "" && f.VolumeID == "" {
		id, err := l.known(ctx, f.Volume)
		if err != nil {
			return nil, err
		}
		if id {
			f.Volume, f.VolumeID = "", f.Volume
		}
	}
	q := query{}
	q.where(f.Only != "", `project_id = @only`, "only", storable(f.Only))
	q.where(f.Project != "", `(project_id = @project OR project_name = @project)`, "project", storable(f.Project))
	q.where(f.Server != "", `(server_id = @server OR server_name = @server)`, "server", storable(f.Server))
	q.where(f.Volume != "", `(volume_id = @volume OR volume_name = @volume)`, "volume", storable(f.Volume))
	q.where(f.VolumeID != "", `volume_id = @volume_id`, "volume_id", storable(f.VolumeID))
	q.where(len(f.States) > 0, shownState+` = ANY(@states)`, "states", f.States)
	q.where(f.Reason != "", `reason = @reason`, "reason", storable(f.Reason))
	q.where(f.EndedSince != nil, `ended_at >= @ended`, "ended", f.EndedSince)
	q.where(f.From != nil, cursorAt+` >= @from`, "from", f.From)
	q.where(f.Until != nil, cursorAt+` < @until`, "until", f.Until)
	if f.Search != "" {
		q.args["search"] = like(f.Search)
		q.conditions = append(q.conditions, f.found())
	}
	orderBy, reversed := f.order(&q)
	records, err := l.records(ctx, "those", `SELECT `+recordColumns+` FROM records`+q.text()+orderBy+` LIMIT nullif(@limit, 0)`, q.limited(f.Limit))
	if reversed {
		slices.Reverse(records)
	}
	return records, err
}

// found is the condition that a part of a name or ID occurs. Of all projects, the few volumes are found first; of one project,
// only its own records are searched, because a volume may belong to another one now.
func (f Filter) found() string {
	if f.Only != "" {
		return `(volume_name ILIKE @search OR server_name ILIKE @search OR volume_id ILIKE @search OR server_id ILIKE @search OR backup_id ILIKE @search)`
	}
	return `(volume_id IN (SELECT v.id FROM volumes v WHERE ` + volumeFound + `) OR backup_id ILIKE @search)`
}

// A query collects only the conditions that were requested, so that Postgres plans without the others.
type query struct {
	conditions []string
	args       pgx.NamedArgs
}

func (q *query) where(requested bool, condition, name string, value any) {
	if q.args == nil {
		q.args = pgx.NamedArgs{}
	}
	if requested {
		q.conditions, q.args[name] = append(q.conditions, condition), value
	}
}

func (q *query) text() string {
	if len(q.conditions) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(q.conditions, ` AND `)
}

func (q *query) limited(limit int) pgx.NamedArgs {
	q.args["limit"] = limit
	return q.args
}

// known reports whether a volume with that ID exists. If it does, the text is an ID and not a name.
func (l *Snapshot) known(ctx context.Context, volumeID string) (is bool, err error) {
	if err := l.tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM volumes WHERE id = $1)`, storable(volumeID)).Scan(&is); err != nil {
		return false, fmt.Errorf("search for a volume: %w", err)
	}
	return is, nil
}
