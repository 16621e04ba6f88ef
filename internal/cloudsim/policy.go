package cloudsim

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// policyTime is oslo.policy's remote_timeout as operators set it.
const policyTime = 5 * time.Second

// AskBeforeDelete adds a rule to Cinder's policy: `rule:admin_api or (project_id:%(project_id)s and URL)`, where %(id)s in the
// URL is the backup's ID. Empty removes the rule.
func (c *Cloud) AskBeforeDelete(checkURL string) {
	c.lock()
	defer c.mu.Unlock()
	c.deleteCheck = checkURL
}

// mayDelete evaluates the policy rule, before Cinder checks the backup itself. It releases the lock while it waits for the
// response. Only the text of the response counts, with or without quotes, not the status. An unreachable server is an error.
func (c *Cloud) mayDelete(q *call, b *backup) (response, bool) {
	if c.deleteCheck == "" || q.admin {
		return response{}, true
	}
	roles := slices.Clone(c.rolesOf(q.tok))
	form := url.Values{"rule": {quote("backup:delete")}, "target": {jsonText(policyTarget(b))}, "credentials": {jsonText(map[string]any{
		"is_admin": false, "user_id": q.tok.user, "project_id": q.tok.project, "roles": roles, "system_scope": nil, "domain_id": nil,
		"is_admin_project": true, "service_user_id": nil, "service_roles": []string{},
	})}}
	address := strings.ReplaceAll(c.deleteCheck, "%(id)s", b.ID)
	c.mu.Unlock()
	text, err := postForm(address, form)
	c.lock()
	switch {
	case err != nil:
		return serverFault(), false
	case strings.Trim(text, `"`) != "True":
		return notAllowed("backup:delete"), false
	}
	return response{}, true
}

// policyTarget returns the backup as Cinder sends it to the policy check.
func policyTarget(b *backup) map[string]any {
	return map[string]any{
		"id": b.ID, "project_id": b.Project, "user_id": b.User, "volume_id": b.Volume, "status": b.Status, "size": b.Size,
		"parent_id": nullable(b.Parent), "display_name": nullable(b.Name), "display_description": nullable(b.Description),
		"metadata": b.Metadata, "fail_reason": nullable(b.FailReason), "deleted": false,
	}
}

func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("cloudsim: encode policy target: " + err.Error()) // our own values
	}
	return string(text)
}

func postForm(address string, form url.Values) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), policyTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // as Cinder does; it also leaves no connection open
	res, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	return string(text), err
}
