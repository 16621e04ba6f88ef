package openstack

import (
	"context"
	"net/http"
	"net/url"

	"staffeln/backup"
)

// DeleteBackup asks Cinder to delete b. Nil means that Cinder accepted; the backup is gone when [Cloud.Backup] returns not
// found.
//
// It always uses a token of b's own project: with a token of another project Cinder does not see the dependents of b and
// destroys their chain. It reads the backup first, and returns an error if the backup does not belong to the project in b:
// an admin's token sees, and may delete, the backups of all projects.
//
// Deleting an encrypted backup without the right to its secret destroys the data, and the deletion hangs. So it uses a fresh
// token for it, and only if that token has one of SECRET_ROLES (otherwise: secret_right_unknown).
func (c *Cloud) DeleteBackup(ctx context.Context, b backup.Backup) error {
	return c.change(ctx, "delete backup", b, http.MethodDelete, "", nil, true)
}

// ForceDeleteBackup asks Cinder to delete b in any status, with the same checks as [Cloud.DeleteBackup]. It works with chunked
// drivers only; Ceph refuses.
func (c *Cloud) ForceDeleteBackup(ctx context.Context, b backup.Backup) error {
	return c.change(ctx, "force-delete backup", b, http.MethodPost, "/action", map[string]any{"os-force_delete": map[string]any{}}, true)
}

// ResetBackup sets the status of b in Cinder's database to available or error. It does not stop what cinder-backup does with
// the backup. It returns an error if Cinder's status differs from that of b: a backup that finished meanwhile is not changed.
func (c *Cloud) ResetBackup(ctx context.Context, b backup.Backup, to backup.Status) error {
	return c.change(ctx, opReset, b, http.MethodPost, "/action", resetTo(to), false)
}

const opReset = "reset backup"

func resetTo(to backup.Status) any {
	return map[string]any{"os-reset_status": map[string]any{"status": to}}
}

// change is the only way to delete or reset a backup. It takes the scope from the backup, never from the caller.
func (c *Cloud) change(ctx context.Context, op string, b backup.Backup, method, path string, body any, removes bool) error {
	what := request{op: op, object: b.ID, id: b.ID}
	at := "/backups/" + url.PathEscape(b.ID)
	s, r, err := c.cinderRequest(ctx, what, b.ProjectID, method, at+path)
	if err != nil {
		return err
	}
	r.body = body
	readRequest := r
	var minor int
	readRequest.method, readRequest.path, readRequest.body, readRequest.minor = http.MethodGet, at, nil, &minor
	is, err := c.readBackup(ctx, s, readRequest)
	if err != nil {
		return err
	}
	if is.ProjectID != b.ProjectID {
		return r.refuse(b.ProjectID, backup.MeansRefused, "the backup belongs to project "+is.ProjectID)
	}
	if op == opReset && is.Status != b.Status {
		return r.refuse(b.ProjectID, backup.MeansBackupState, "its status is no longer "+string(b.Status)+" but "+string(is.Status))
	}
	if removes && (is.Encrypted || b.Encrypted || mayBeEncrypted(s, minor)) {
		if err := c.requireSecretRight(ctx, s, r); err != nil {
			return err
		}
	}
	if err := s.mustBelongTo(is.ProjectID, r); err != nil {
		return err
	}
	return c.do(ctx, s, r)
}

// mayBeEncrypted reports whether it is unknown if a backup is encrypted: below 3.64 Cinder does not show it. Without Barbican
// no backup is encrypted. minor is the microversion at which the backup was read.
func mayBeEncrypted(s *scope, minor int) bool { return minor < secretMinor && s.hasSecrets() }

// requireSecretRight requests a new token, which must be valid until cinder-backup is done, and returns an error if the
// token's roles do not give the right to the project's secrets.
func (c *Cloud) requireSecretRight(ctx context.Context, s *scope, r request) error {
	renewal := r
	renewal.method, renewal.idempotent = http.MethodPost, true
	err := c.retrier.try(ctx, renewal, func() *backup.CloudError {
		if err := s.renew(ctx); err != nil {
			return renewal.faultOf(s.projectID, err, c.clock.now())
		}
		return nil
	})
	if backup.Means(err, backup.MeansUnauthorised) {
		return c.explainRefusal(ctx, s.projectID, err)
	}
	if err != nil {
		return err
	}
	t, err := s.token()
	if err != nil || !t.hasRole(c.retrier.config.SecretRoles...) {
		fault := r.refuse(s.projectID, backup.MeansSecretRight,
			"the service user has none of the roles that give the right to the secret of an encrypted backup")
		fault.Err = err
		return fault
	}
	return nil
}
