package openstack

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// A Quota is one of Cinder's limits on a project: -1 is none, 0 is nothing.
type Quota struct {
	Limit    int `json:"limit"`
	InUse    int `json:"in_use"`
	Reserved int `json:"reserved"`
}

// BackupQuota reads a project's quotas of backups and of their gigabytes, as the
// admin: one call.
func (c *Cloud) BackupQuota(ctx context.Context, projectID string) (backups, gigabytes Quota, err error) {
	r := c.volumeRequest(c.admin, http.MethodGet, "/os-quota-sets/"+url.PathEscape(projectID)+"?usage=True")
	r.op, r.object, r.id = "read quota", "of project "+projectID, projectID
	var said struct {
		QuotaSet struct {
			Backups         Quota `json:"backups"`
			BackupGigabytes Quota `json:"backup_gigabytes"`
		} `json:"quota_set"`
	}
	r.decode = func(body []byte) error { return json.Unmarshal(body, &said) }
	if err := c.do(ctx, c.admin, r); err != nil {
		return backups, gigabytes, err
	}
	return said.QuotaSet.Backups, said.QuotaSet.BackupGigabytes, nil
}
