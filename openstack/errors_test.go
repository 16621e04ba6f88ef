package openstack

import (
	"net/http"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/stretchr/testify/assert"

	"staffeln/backup"
)

// Every response here is verbatim from a real OpenStack (Zed), unless a comment in its line names another source.
func TestMeaningOfResponses(t *testing.T) {
	t.Parallel()
	const id = "82d5d85b-8399-4e70-a54c-a87ce20b0660"
	const volume = "00000000-0000-4000-8000-000000000000"
	create := request{op: "create backup", object: "of volume " + volume, id: volume, service: cinder, method: http.MethodPost}
	remove := request{op: "delete backup", object: "backup " + id, id: id, service: cinder, method: http.MethodDelete}
	read := request{op: "read backup", object: "backup " + id, id: id, service: cinder, method: http.MethodGet}
	for name, c := range map[string]struct {
		r       request
		status  int
		body    string
		want    backup.Meaning
		text    string
		unknown bool
	}{
		"in use without force": {
			r: create, status: 400, want: backup.MeansVolumeState,
			body: `{"badRequest": {"code": 400, "message": "Invalid volume: Backing up an in-use volume must use the force flag."}}`,
			text: "Invalid volume: Backing up an in-use volume must use the force flag.",
		},
		"no parent": {
			r: create, status: 400, want: backup.MeansNoParent,
			body: `{"badRequest": {"code": 400, "message": "Invalid backup: No backups available to do an incremental backup."}}`,
			text: "Invalid backup: No backups available to do an incremental backup.",
		},
		"parent not available": {
			r: create, status: 400, want: backup.MeansNoParent,
			body: `{"badRequest": {"code": 400, "message": "Invalid backup: The parent backup must be available for incremental backup."}}`,
			text: "Invalid backup: The parent backup must be available for incremental backup.",
		},
		"volume in backing-up": {
			r: create, status: 400, want: backup.MeansVolumeState,
			body: `{"badRequest": {"code": 400, "message": "Invalid volume: Volume to be backed up must be available or in-use, but the current status is \"backing-up\"."}}`,
			text: `Invalid volume: Volume to be backed up must be available or in-use, but the current status is "backing-up".`,
		},
		"dependents": {
			r: remove, status: 400, want: backup.MeansHasDependents,
			body: `{"badRequest": {"code": 400, "message": "Invalid backup: Incremental backups exist for this backup."}}`,
			text: "Invalid backup: Incremental backups exist for this backup.",
		},
		"being created": {
			r: remove, status: 400, want: backup.MeansBackupState,
			body: `{"badRequest": {"code": 400, "message": "Invalid backup: Backup status must be available or error"}}`,
			text: "Invalid backup: Backup status must be available or error",
		},
		"backup gone": {
			r: read, status: 404, want: backup.MeansNotFound,
			body: `{"itemNotFound": {"code": 404, "message": "Backup 82d5d85b-8399-4e70-a54c-a87ce20b0660 could not be found."}}`,
			text: "Backup 82d5d85b-8399-4e70-a54c-a87ce20b0660 could not be found.",
		},
		"deletion without cinder-backup": {
			r: remove, status: 404, want: backup.MeansUnavailable,
			body: `{"itemNotFound": {"code": 404, "message": "Service cinder-backup could not be found."}}`,
			text: "Service cinder-backup could not be found.",
		},
		"no such path": {
			r: read, status: 404, want: backup.MeansUnavailable,
			body: "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n  The resource could not be found.<br /><br />\n </body>\n</html>",
			text: "<html> <head> <title>404 Not Found</title> </head> <body> <h1>404 Not Found</h1> The resource could not be found.<br /><br /> </body> </html>",
		},
		"no such volume": {
			r: create, status: 404, want: backup.MeansNotFound,
			body: `{"itemNotFound": {"code": 404, "message": "Volume 00000000-0000-4000-8000-000000000000 could not be found."}}`,
			text: "Volume 00000000-0000-4000-8000-000000000000 could not be found.",
		},
		"bad uuid": {
			r: create, status: 400, want: backup.MeansRefused,
			body: `{"badRequest": {"code": 400, "message": "Invalid input for field/attribute volume_id. Value: not-a-uuid. 'not-a-uuid' is not a 'uuid'"}}`,
			text: "Invalid input for field/attribute volume_id. Value: not-a-uuid. 'not-a-uuid' is not a 'uuid'",
		},
		"metadata below 3.43": {
			r: create, status: 400, want: backup.MeansRefused,
			body: `{"badRequest": {"code": 400, "message": "Invalid input for field/attribute backup. Additional properties are not allowed ('metadata' was unexpected)"}}`,
			text: "Invalid input for field/attribute backup. Additional properties are not allowed ('metadata' was unexpected)",
		},
		"over quota, number": {
			r: create, status: 413, want: backup.MeansQuota,
			body: `{"overLimit": {"code": 413, "message": "BackupLimitExceeded: Maximum number of backups allowed (1) exceeded", "retryAfter": "0"}}`,
			text: "BackupLimitExceeded: Maximum number of backups allowed (1) exceeded",
		},
		"over quota, gigabytes": {
			r: create, status: 413, want: backup.MeansQuota,
			body: `{"overLimit": {"code": 413, "message": "VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup gigabytes quota. Requested 1G, quota is 1G and 1G has been consumed.", "retryAfter": "0"}}`,
			text: "VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup gigabytes quota. Requested 1G, quota is 1G and 1G has been consumed.",
		},
		"rate limiter of old Cinder (from its source)": {
			r: create, status: 413, want: backup.MeansThrottled,
			body: `{"overLimit": {"code": 413, "message": "This request was rate-limited."}}`,
			text: "This request was rate-limited.",
		},
		"another project in the URL": {
			r: create, status: 400, want: backup.MeansRefused,
			body: `{"badRequest": {"code": 400, "message": "Malformed request url"}}`,
			text: "Malformed request url",
		},
		"policy": {
			r: remove, status: 403, want: backup.MeansForbidden,
			body: `{"forbidden": {"code": 403, "message": "Policy doesn't allow backup:delete to be performed."}}`,
			text: "Policy doesn't allow backup:delete to be performed.",
		},
		"unscoped token": {
			r: read, status: 403, want: backup.MeansForbidden,
			body: `{"forbidden": {"code": 403, "message": "Not authorized."}}`,
			text: "Not authorized.",
		},
		"no good token": {
			r: read, status: 401, want: backup.MeansUnauthorised,
			body: `{"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}}`,
			text: "The request you have made requires authentication.",
		},
		"reset to creating": {
			r: create, status: 400, want: backup.MeansRefused,
			body: `{"badRequest": {"code": 400, "message": "Backup status: creating is invalid, valid statuses are: ['available', 'error']."}}`,
			text: "Backup status: creating is invalid, valid statuses are: ['available', 'error'].",
		},
		"microversion": {
			r: read, status: 406, want: backup.MeansUnavailable,
			body: `{"computeFault": {"code": 406, "message": "Version 3.99 is not supported by the API. Minimum is 3.0 and maximum is 3.70."}}`,
			text: "Version 3.99 is not supported by the API. Minimum is 3.0 and maximum is 3.70.",
		},
		"key manager": {
			r: create, status: 400, want: backup.MeansRefused,
			body: `{"badRequest": {"code": 400, "message": "Key manager error"}}`, text: "Key manager error",
		},
		"force on Ceph (from its source)": {
			r: create, status: 405, want: backup.MeansRefused,
			body: `{"badMethod": {"code": 405, "message": "force delete is not supported"}}`, text: "force delete is not supported",
		},
		"throttled": {r: create, status: 429, body: "slow down", want: backup.MeansThrottled, text: "slow down"},
		"Cinder failed while creating": {
			r: create, status: 500, want: backup.MeansUnavailable, unknown: true,
			body: `{"computeFault": {"code": 500, "message": "The server has either erred or is incapable of performing the requested operation."}}`,
			text: "The server has either erred or is incapable of performing the requested operation.",
		},
		"proxy while creating": {r: create, status: 504, body: "", want: backup.MeansUnavailable, unknown: true},
		"proxy while deleting": {r: remove, status: 502, body: "bad gateway", want: backup.MeansUnavailable, text: "bad gateway", unknown: true},
		"proxy while reading":  {r: read, status: 503, body: "", want: backup.MeansUnavailable},
		"redirect of a POST":   {r: create, status: 302, body: "", want: backup.MeansUnavailable, unknown: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fault := c.r.faultOf("p1", gophercloud.ErrUnexpectedResponseCode{
				Actual: c.status, Body: []byte(c.body),
				ResponseHeader: http.Header{"X-Openstack-Request-Id": {"req-1"}, "Retry-After": {"0"}},
			}, time.Time{})
			assert.Equal(t, c.want, fault.Meaning)
			assert.Equal(t, c.text, fault.Message)
			assert.Equal(t, c.unknown, fault.Unknown, "may have taken effect")
			assert.Equal(t, c.status, fault.Status)
			assert.Equal(t, "req-1", fault.RequestID)
			assert.Equal(t, "p1", fault.ProjectID)
			assert.Equal(t, c.r.op, fault.Op)
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "99999999999999999999": 0,
		"Sun, 01 Mar 2026 12:00:30 GMT": 30 * time.Second,
		"Sun, 01 Mar 2026 11:00:00 GMT": 0,
	} {
		assert.Equal(t, want, retryAfter(http.Header{"Retry-After": {value}}, now), value)
	}
	h := http.Header{"Retry-After": {"Sun, 01 Mar 2026 12:00:30 GMT"}, "Date": {"Sun, 01 Mar 2026 12:00:20 GMT"}}
	assert.Equal(t, 10*time.Second, retryAfter(h, now.Add(-time.Hour)), "counted from the cloud's own time")
}

func TestLongMessageIsTruncated(t *testing.T) {
	t.Parallel()
	long := make([]byte, 10_000)
	for i := range long {
		long[i] = 0xff
	}
	assert.LessOrEqual(t, len([]rune(messageOf(long))), maxMessage)
}

func TestRouteTemplatesHaveNoIDs(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/v3/c180b8d5f28b44e9885adc6bc97407a2/backups/detail":       "/v3/{id}/backups/detail",
		"/v3/p/backups/12bcd6bb-ee94-4e15-8378-35c3357272a8/action": "/v3/{id}/backups/{id}/action",
		"/volume/v3/a%2Fb/volumes/x":                                "/volume/v3/{id}/volumes/{id}",
		"/v2.1/servers/detail":                                      "/v2.1/servers/detail",
		"/identity/v3/auth/tokens":                                  "/identity/v3/auth/tokens",
		"/v3/projects/any-name":                                     "/v3/projects/{id}",
		"/v3/":                                                      "/v3", "/": "/", "": "/",
	} {
		assert.Equal(t, want, routeOf(path), path)
	}
}
