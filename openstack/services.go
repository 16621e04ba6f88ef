package openstack

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"staffeln/backup"
)

// BackupServices lists the cinder-backup services that Cinder knows. It makes one call.
func (c *Cloud) BackupServices(ctx context.Context) ([]backup.Service, error) {
	r := request{
		op: "list services", object: "cinder-backup", method: http.MethodGet,
		service: cinder, path: "/os-services?" + url.Values{"binary": {"cinder-backup"}}.Encode(),
	}
	var response struct {
		Services []struct{ Binary, Host, Zone, Status, State string }
	}
	r.decode = func(body []byte) error { return json.Unmarshal(body, &response) }
	if err := c.do(ctx, c.admin, r); err != nil {
		return nil, err
	}
	services := make([]backup.Service, 0, len(response.Services))
	for _, s := range response.Services {
		if s.Binary == "cinder-backup" { // the cloud may not know the filter
			services = append(services, backup.Service{Host: s.Host, Zone: s.Zone, Up: s.State == "up" && s.Status == "enabled"})
		}
	}
	return services, nil
}
