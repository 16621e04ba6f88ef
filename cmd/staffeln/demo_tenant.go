package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"staffeln/backup"
)

// The tenant of the demo: a member of one project, who wants to delete a backup, and can sign in to the page.
const (
	tenantName     = "alice"
	tenantPassword = "alice-secret"
	tenantProject  = "shop"
)

// notOurs is a backup that no record knows.
const notOurs = "5438dbb2-4eec-4a90-b8d6-5b0d7dfaa56b"

// tenantDeletes tries to delete a restore point as its owner may: Cinder asks the api first. The same is asked about a
// backup that is none of ours.
func (s *story) tenantDeletes(ctx context.Context, l *sight) (string, error) {
	for _, r := range l.records {
		if r.State != backup.Available || r.ProjectName != tenantProject {
			continue
		}
		status, err := s.world.deleteAsTenant(ctx, r.BackupID)
		if err != nil {
			return "", err
		}
		if status != http.StatusForbidden {
			return "", fmt.Errorf("delete backup %s as a tenant: Cinder answered %d, want 403: the delete check did not hold", r.BackupID, status)
		}
		about, err := send(ctx, http.MethodPost, "http://"+s.house.named("api").address+"/v1/backup?backup_id="+notOurs, "", "")
		if err != nil {
			return "", err
		}
		if about.text != "True" {
			return "", fmt.Errorf("ask the api about a backup that is none of ours: it answered %d %q, want True", about.status, about.text)
		}
		return fmt.Sprintf("%s, a tenant, wants to delete the %s of %s: Cinder asks the api, and refuses (%d). Backups that are not ours she may.",
			tenantName, r.Kind, r.name(), status), nil
	}
	return "", errors.New("look for a restore point of the tenant: there is none")
}

// tenantHas tells whether the tenant's project has a restore point.
func tenantHas(l *sight) bool {
	for _, r := range l.records {
		if r.State == backup.Available && r.ProjectName == tenantProject {
			return true
		}
	}
	return false
}

// deleteAsTenant answers Cinder's status.
func (w *demoWorld) deleteAsTenant(ctx context.Context, backupID string) (status int, err error) {
	domain := map[string]string{"name": "Default"}
	question, err := json.Marshal(map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{
			"user": map[string]any{"name": tenantName, "domain": domain, "password": tenantPassword},
		}},
		"scope": map[string]any{"project": map[string]any{"name": tenantProject, "domain": domain}},
	}})
	if err != nil {
		return 0, fmt.Errorf("sign in as %s: %w", tenantName, err)
	}
	signedIn, err := send(ctx, http.MethodPost, w.url+"/identity/v3/auth/tokens", "", string(question))
	if err != nil {
		return 0, err
	}
	if signedIn.status != http.StatusCreated {
		return 0, fmt.Errorf("sign in as %s: Keystone answered %d %s", tenantName, signedIn.status, signedIn.text)
	}
	deleted, err := send(ctx, http.MethodDelete, w.url+"/volume/v3/"+w.tenant+"/backups/"+backupID, signedIn.token, "")
	return deleted.status, err
}

// reply is what a server of the demo said.
type reply struct {
	status      int
	text, token string
}

func send(ctx context.Context, method, url, token, body string) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return reply{}, fmt.Errorf("ask %s: %w", url, err)
	}
	request.Close = true
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("X-Auth-Token", token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return reply{}, fmt.Errorf("ask %s: %w", url, err)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
	_ = answer.Body.Close() // all of it was read
	if err != nil {
		return reply{}, fmt.Errorf("read the answer of %s: %w", url, err)
	}
	return reply{answer.StatusCode, string(text), answer.Header.Get("X-Subject-Token")}, nil
}
