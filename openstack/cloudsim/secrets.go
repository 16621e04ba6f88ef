package cloudsim

import (
	"slices"
)

// secret is a key in Barbican. Cinder works on it with the caller's token, after it has answered.
type secret struct{ ID, project string }

func (c *Cloud) newSecret(projectID string) string {
	s := &secret{c.ids.uuid(), projectID}
	c.secrets[s.ID] = s
	return s.ID
}

func (c *Cloud) dropSecret(id string, owner Event) {
	delete(c.secrets, id)
	owner.Kind, owner.Detail = SecretGone, id
	c.note(owner)
}

// mayUseSecrets: Barbican's default policy knows admin and creator, not member, and only in the project
// that the secret belongs to. With its newer defaults member is enough.
func (c *Cloud) mayUseSecrets(t *token, projectID string) bool {
	if allowed, set := c.rights[[2]string{t.user, projectID}]; set {
		return allowed
	}
	if t.project != projectID {
		return false
	}
	roles := c.rolesOf(t)
	return slices.Contains(roles, "admin") || slices.Contains(roles, "creator") ||
		c.opt.SecretNewDefaults && slices.Contains(roles, "member")
}

const secretForbidden = "Key manager error: Forbidden: Secret retrieval attempt not allowed - please review your user/project privileges" //nolint:gosec // no credential, the text of a refusal

// secretTrouble says why the token cannot work on a key, in the words that end up in fail_reason; empty is no trouble.
func (c *Cloud) secretTrouble(t *token, projectID, keyID string) string {
	switch {
	case !c.keyManagerUp:
		return "Key manager error: Unable to establish connection to http://key-manager:9311/v1/secrets/" + keyID +
			": HTTPConnectionPool(host='key-manager', port=9311): Max retries exceeded"
	case t == nil || c.tokens[t.ID] == nil || !c.valid(t):
		return "Key manager error: Unauthorized"
	case !c.mayUseSecrets(t, projectID):
		return secretForbidden
	case c.secrets[keyID] == nil:
		return "Key manager error: Key not found, uuid: " + keyID
	}
	return ""
}
