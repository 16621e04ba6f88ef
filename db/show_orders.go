package db

import (
	"slices"
	"strings"
	"time"
)

// A VolumeSort is the first column by which a list of volumes is sorted; names and IDs follow.
type VolumeSort string

// The columns. By age, volumes without a restore point come before all others.
const (
	ByProject VolumeSort = ""
	ByName    VolumeSort = "volume"
	ByServer  VolumeSort = "server"
	BySize    VolumeSort = "size"
	ByAge     VolumeSort = "restore_point"
)

var volumeColumnsBySort = map[VolumeSort]string{ByName: `name`, ByServer: `server_name`, BySize: `size_gib`, ByAge: `coalesce(newest_at, 'epoch')`}

// A VolumeCursor is a position in a list of volumes.
type VolumeCursor struct {
	NewestAt          *time.Time
	Project, Name, ID string // names of project and volume, and the volume's ID
	Server            string // its name
	SizeGiB           int
}

// value returns the cursor's value of the first column.
func (p VolumeCursor) value(of VolumeSort) any {
	switch of {
	case ByName:
		return storable(p.Name)
	case ByServer:
		return storable(p.Server)
	case BySize:
		return p.SizeGiB
	case ByAge:
		if p.NewestAt != nil {
			return *p.NewestAt
		}
		return time.Unix(0, 0)
	case ByProject:
	}
	return nil
}

// order adds the position to q and returns the order of a page; reversed means that the rows come from the end of the page.
func (f ProtectionFilter) order(q *query) (orderBy string, reversed bool) {
	columns, position := []string{`project_name`, `name`, `id`}, []string{`@project_at`, `@name_at`, `@id_at`}
	if column, known := volumeColumnsBySort[f.Sort]; known {
		columns, position = slices.Insert(columns, 0, column), slices.Insert(position, 0, `@value_at`)
	}
	from, forward := f.After, true
	if f.Before != nil {
		from, forward = f.Before, false
	}
	operator, direction := ` > `, ``
	if f.Descending == forward {
		operator, direction = ` < `, ` DESC`
	}
	if from != nil {
		q.args["project_at"], q.args["name_at"], q.args["id_at"], q.args["value_at"] = storable(from.Project), storable(from.Name), storable(from.ID), from.value(f.Sort)
		q.conditions = append(q.conditions, `(`+strings.Join(columns, `, `)+`)`+operator+`(`+strings.Join(position, `, `)+`)`)
	}
	return ` ORDER BY ` + strings.Join(columns, direction+`, `) + direction, !forward
}

// order is the same for records. By time, volumes with the same time follow by name; by volume, the times of one follow.
func (f Filter) order(q *query) (orderBy string, reversed bool) {
	from, forward := f.After, true
	if f.Before != nil {
		from, forward = f.Before, false
	}
	first, firstOperator := ` DESC`, `<`
	if f.OldestFirst == forward {
		first, firstOperator = ``, `>`
	}
	if from != nil {
		q.args["at"], q.args["name"], q.args["id"] = from.At, storable(from.Name), storable(from.ID)
	}
	if f.ByVolume {
		if from != nil {
			q.conditions = append(q.conditions, `(volume_name, `+cursorAt+`, id) `+firstOperator+` (@name, @at, @id)`)
		}
		return ` ORDER BY volume_name` + first + `, ` + cursorAt + first + `, id` + first, !forward
	}
	second, secondOperator := ``, `>`
	if !forward {
		second, secondOperator = ` DESC`, `<`
	}
	if from != nil { // its first half lets Postgres start at an index position
		q.conditions = append(q.conditions, cursorAt+` `+firstOperator+`= @at AND (`+cursorAt+` `+firstOperator+` @at OR (volume_name, id) `+secondOperator+` (@name, @id))`)
	}
	return ` ORDER BY ` + cursorAt + first + `, volume_name` + second + `, id` + second, !forward
}

// like returns the pattern of ILIKE for a part of a name or ID.
func like(part string) string {
	return `%` + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(storable(part)) + `%`
}
