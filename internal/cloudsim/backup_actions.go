package cloudsim

import (
	"encoding/json"
	"net/http"
)

// changeBackup handles POST /backups/{id}/action: the admin actions for a backup that is stuck.
func changeBackup(c *Cloud, q *call) response {
	name, argument, found := q.action()
	if !found {
		return badRequest("Malformed request body")
	}
	if name != "os-reset_status" && name != "os-force_delete" {
		return noAction(name)
	}
	b := c.visibleBackup(q)
	if b == nil {
		return backupNotFound(q.vars["backup"])
	}
	if name == "os-force_delete" {
		if !q.admin {
			return notAllowed("volume_extension:backup_admin_actions:force_delete")
		}
		return c.acceptDeletion(q, b, BackupForceDeletion)
	}
	var in struct {
		Status string `json:"status"`
	}
	switch err := json.Unmarshal(argument, &in); {
	case !q.admin:
		return notAllowed("volume_extension:backup_admin_actions:reset_status")
	case err != nil:
		return badRequest("Malformed request body")
	case in.Status != "available" && in.Status != "error":
		return badRequest("Backup status: " + in.Status + " is invalid, valid statuses are: ['available', 'error'].")
	case !c.backupUp:
		return notFound(serviceNotFound)
	}
	if r := b.making; in.Status == "error" && r != nil && r.temp != nil {
		c.dropVolume(r.temp)
		r.temp = nil
	}
	c.setBackup(b, in.Status)
	c.noteBackup(BackupReset, b, q.tok, in.Status)
	return response{status: http.StatusAccepted}
}
