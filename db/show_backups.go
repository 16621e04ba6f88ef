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
	Only                    string // the ID of the owning project, in addition to all other fields: what the user may see
	Project, Server, Volume string // an ID or a name
	VolumeID                string // an ID, never a name
	States                  []string
	From, Until             *time.Time // by the time of the data or, before there is any, of the request or the plan; Until is excluded
	OldestFirst             bool
	After                   *Place // only records after it in that order
	Before                  *Place // or only the records directly before it
	Limit                   int    // 0 = no limit
}

// A Place is a record's position in a list, used as a cursor.
type Place struct {
	At       time.Time
	Name, ID string // of the volume, and of the record
}

// cursorAt is the time by which lists of records are sorted; there are indexes on it.
const cursorAt = `coalesce(data_timestamp, requested_at, planned_at)`

// PlaceOf returns the position of a record.
func PlaceOf(r backup.Record) Place {
	p := Place{At: r.PlannedAt, Name: r.VolumeName, ID: r.ID}
	switch {
	case r.DataTimestamp != nil:
		p.At = *r.DataTimestamp
	case r.RequestedAt != nil:
		p.At = *r.RequestedAt
	}
	return p
}

// Backups returns the records that f selects, newest first unless f says otherwise.
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
	q.where(len(f.States) > 0, `state = ANY(@states)`, "states", f.States)
	q.where(f.From != nil, cursorAt+` >= @from`, "from", f.From)
	q.where(f.Until != nil, cursorAt+` < @until`, "until", f.Until)
	from, forward := f.After, true
	if f.Before != nil {
		from, forward = f.Before, false
	}
	timeDirection, timeOperator := ` DESC`, `<`
	if f.OldestFirst == forward {
		timeDirection, timeOperator = ``, `>`
	}
	nameDirection, nameOperator := ``, `>`
	if !forward {
		nameDirection, nameOperator = ` DESC`, `<`
	}
	if from != nil { // its first half lets Postgres start at an index position
		q.where(true, cursorAt+` `+timeOperator+`= @at AND (`+cursorAt+` `+timeOperator+` @at OR (volume_name, id) `+nameOperator+` (@name, @id))`, "at", from.At)
		q.args["name"], q.args["id"] = storable(from.Name), storable(from.ID)
	}
	records, err := l.records(ctx, "those", `SELECT `+recordColumns+` FROM records`+q.text()+
		` ORDER BY `+cursorAt+timeDirection+`, volume_name`+nameDirection+`, id`+nameDirection+` LIMIT nullif(@limit, 0)`, q.limited(f.Limit))
	if !forward {
		slices.Reverse(records)
	}
	return records, err
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
		return false, fmt.Errorf("look for a volume: %w", err)
	}
	return is, nil
}
