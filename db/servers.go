package db

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// ErrUnknownServer means that no volume is attached to such a server.
var ErrUnknownServer = errors.New("no server of that ID or name has a volume that a plan saw")

// An AttachedServer is a server by the volumes that the newest plans saw attached to it, or that it protected last.
type AttachedServer struct {
	ID, Name               string
	ProjectID, ProjectName string
	Volumes                []Volume // by name
	Asks                   bool     // it asks for backups: it protects at least one of the volumes
}

// AttachedServer returns the server with that ID, or else the one with that name; if only is not empty, of that project. It returns
// [ErrUnknownServer], or an [AmbiguousError] if several servers have the name.
func (l *Snapshot) AttachedServer(ctx context.Context, only, idOrName string) (AttachedServer, error) {
	const q = `
		SELECT ` + volumeColumns + ` FROM volumes WHERE gone_at IS NULL AND ($2 = '' OR project_id = $2) AND
			($1 IN (attached_id, attached_name) OR attached_id = '' AND (protected OR unknown) AND $1 IN (server_id, server_name)) AND $1 <> ''
		ORDER BY name, id`
	found, err := l.volumes(ctx, q, storable(idOrName), only)
	if err != nil {
		return AttachedServer{}, err
	}
	byID := map[string]AttachedServer{}
	for _, v := range found {
		id, name := v.AttachedID, v.AttachedName
		if id == "" {
			id, name = v.ServerID, v.ServerName
		}
		s := byID[id]
		s.ID, s.Name, s.ProjectID, s.ProjectName = id, cmp.Or(name, s.Name), v.ProjectID, cmp.Or(v.ProjectName, s.ProjectName)
		s.Volumes, s.Asks = append(s.Volumes, v), s.Asks || v.Protected && v.ServerID == id
		byID[id] = s
	}
	if s, ok := byID[idOrName]; ok {
		return s, nil
	}
	several := AmbiguousError{What: "servers"}
	for id, s := range byID {
		if len(byID) == 1 {
			return s, nil
		}
		several.IDs = append(several.IDs, id)
	}
	if len(byID) == 0 {
		return AttachedServer{}, ErrUnknownServer
	}
	slices.Sort(several.IDs)
	return AttachedServer{}, several
}
