package openstack

import (
	"strings"

	"staffeln/backup"
)

type serverJSON struct {
	ID, Name string
	Status   string
	TenantID string                `json:"tenant_id"`
	Metadata map[string]string     // nil if the response has none
	Attached []struct{ ID string } `json:"os-extended-volumes:volumes_attached"`
}

// server returns s as a backup.Server. For a server in a cell that is down Nova returns little more than the ID: the status
// UNKNOWN, or no metadata at all.
func (s serverJSON) server() backup.Server {
	w := backup.Server{
		ID: s.ID, Name: s.Name, ProjectID: s.TenantID, Status: s.Status, Metadata: s.Metadata,
		Partial: s.Metadata == nil || strings.EqualFold(s.Status, "UNKNOWN"),
	}
	for _, v := range s.Attached {
		w.Volumes = append(w.Volumes, strings.ToLower(v.ID)) // Nova keeps the ID in the spelling of the attach request
	}
	return w
}
