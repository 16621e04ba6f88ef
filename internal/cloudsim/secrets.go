package cloudsim

// secret is a key in Barbican. Cinder uses it with the caller's token, after it has sent the response.
type secret struct{ ID, project string }

func (c *Cloud) newSecret(projectID string) string {
	s := &secret{c.ids.uuid(), projectID}
	c.secrets[s.ID], c.keyManager = s, true
	return s.ID
}

func (c *Cloud) dropSecret(id string, owner Event) {
	delete(c.secrets, id)
	owner.Kind, owner.Detail = SecretGone, id
	c.note(owner)
}

const secretForbidden = "Key manager error: Forbidden: Secret retrieval attempt not allowed - please review your user/project privileges" //nolint:gosec // no credential, the text of a refusal

// secretFailureReason returns why the token can't use a key, as the text of fail_reason, or "".
func (c *Cloud) secretFailureReason(t *token, projectID, keyID string) string {
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
