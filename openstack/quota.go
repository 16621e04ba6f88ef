package openstack

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"staffeln/backup"
)

// BackupQuota reads a project's quotas of backups and backup gigabytes as the admin. It makes one call.
func (c *Cloud) BackupQuota(ctx context.Context, projectID string) (backups, gigabytes backup.Quota, err error) {
	r := request{
		op: "read quota", object: "of project " + projectID, id: projectID, method: http.MethodGet,
		service: cinder, path: "/os-quota-sets/" + url.PathEscape(projectID) + "?usage=True",
	}
	var response struct {
		QuotaSet struct {
			Backups         backup.Quota `json:"backups"`
			BackupGigabytes backup.Quota `json:"backup_gigabytes"`
		} `json:"quota_set"`
	}
	r.decode = func(body []byte) error { return json.Unmarshal(body, &response) }
	if err := c.do(ctx, c.admin, r); err != nil {
		return backups, gigabytes, err
	}
	return response.QuotaSet.Backups, response.QuotaSet.BackupGigabytes, nil
}
