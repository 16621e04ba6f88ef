package openstack

import (
	"context"
	"net/http"
	"net/url"

	"staffeln/backup"
)

// DeleteBackup asks Cinder to delete b. Nil means that Cinder accepted; the
// backup is gone when [Cloud.Backup] answers not found.
//
// It is asked with a token of b's own project, and there is no way to ask it
// with another one: outside it Cinder does not see the backups that build on b
// and destroys their chain. Before, the backup is read, and refused where it
// does not belong to the project that b names: an admin's token sees, and may
// delete, everybody's.
//
// An encrypted backup needs the right to its secret, or the deletion destroys
// the data and hangs for ever: it is asked with a fresh token, and only if that
// has one of SECRET_ROLES (else: secret_right_unknown).
func (c *Cloud) DeleteBackup(ctx context.Context, b backup.Backup) error {
	return c.change(ctx, "delete backup", b, http.MethodDelete, "", nil, true)
}

// ForceDeleteBackup asks Cinder to delete b whatever its status, as
// [Cloud.DeleteBackup] asks. Chunked drivers only; Ceph refuses.
func (c *Cloud) ForceDeleteBackup(ctx context.Context, b backup.Backup) error {
	return c.change(ctx, "force-delete backup", b, http.MethodPost, "/action", map[string]any{"os-force_delete": map[string]any{}}, true)
}

// ResetBackup sets the status of b in Cinder's database: available or error.
// What cinder-backup is doing with it goes on. It is refused where Cinder's
// status is no longer that of b: what came to its end meanwhile stays as it is.
func (c *Cloud) ResetBackup(ctx context.Context, b backup.Backup, to backup.Status) error {
	return c.change(ctx, opReset, b, http.MethodPost, "/action", resetTo(to), false)
}

const opReset = "reset backup"

func resetTo(to backup.Status) any {
	return map[string]any{"os-reset_status": map[string]any{"status": to}}
}

// change is the only way to remove or reset a backup. The scope comes from the
// backup, never from the caller.
func (c *Cloud) change(ctx context.Context, op string, b backup.Backup, method, path string, body any, removes bool) error {
	what := request{op: op, object: b.ID, id: b.ID}
	at := "/backups/" + url.PathEscape(b.ID)
	s, r, err := c.ask(ctx, what, b.ProjectID, method, at+path)
	if err != nil {
		return err
	}
	r.body = body
	look := r
	var minor int
	look.method, look.path, look.body, look.minor = http.MethodGet, at, nil, &minor
	is, err := c.readBackup(ctx, s, look)
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
		if err := c.secretRight(ctx, s, r); err != nil {
			return err
		}
	}
	if err := s.mustBelongTo(is.ProjectID, r); err != nil {
		return err
	}
	return c.do(ctx, s, r)
}

// mayBeEncrypted tells whether nobody can tell: below 3.64 Cinder does not say
// which backups are encrypted. Without a Barbican none is. minor is the one at
// which the backup was read.
func mayBeEncrypted(s *scope, minor int) bool { return minor < secretMinor && s.hasSecrets() }

// secretRight takes a new token, which must outlive cinder-backup's work, and
// refuses where its roles do not show the right to the project's secrets.
func (c *Cloud) secretRight(ctx context.Context, s *scope, r request) error {
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
