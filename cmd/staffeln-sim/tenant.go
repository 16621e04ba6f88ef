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

// The tenant of the demo is a member of one project, who tries to delete a backup and can sign in to the page.
const (
	tenantName     = "alice"
	tenantPassword = "alice-secret"
	tenantProject  = "shop"
)

// foreignBackup is the ID of a backup that no record has.
const foreignBackup = "5438dbb2-4eec-4a90-b8d6-5b0d7dfaa56b"

// tenantDeletes tries to delete a restore point as its owner; Cinder asks the api first. Then it asks the api about a
// foreign backup.
func (c *scenario) tenantDeletes(ctx context.Context, now *snapshot) (string, error) {
	for _, r := range now.records {
		if r.State != backup.Available || r.ProjectName != tenantProject {
			continue
		}
		status, err := c.environment.deleteAsTenant(ctx, r.BackupID)
		if err != nil {
			return "", err
		}
		if status != http.StatusForbidden {
			return "", fmt.Errorf("delete backup %s as a tenant: got %d, want 403: the delete check did not work", r.BackupID, status)
		}
		resp, err := send(ctx, http.MethodPost, "http://"+c.supervisor.named("api").address+"/v1/backup?backup_id="+foreignBackup, "", "")
		if err != nil {
			return "", err
		}
		if resp.text != "True" {
			return "", fmt.Errorf("ask the api about a foreign backup: got %d %q, want True", resp.status, resp.text)
		}
		return fmt.Sprintf("%s, a tenant, wants to delete the %s of %s: Cinder asks the api, and refuses (%d). Foreign backups may be deleted.",
			tenantName, r.Kind, r.name(), status), nil
	}
	return "", errors.New("find a restore point of the tenant: there is none")
}

// tenantHasRestorePoint reports whether the tenant's project has a restore point.
func tenantHasRestorePoint(now *snapshot) bool {
	for _, r := range now.records {
		if r.State == backup.Available && r.ProjectName == tenantProject {
			return true
		}
	}
	return false
}

// deleteAsTenant returns the HTTP status of Cinder's response.
func (e *environment) deleteAsTenant(ctx context.Context, backupID string) (status int, err error) {
	domain := map[string]string{"name": "Default"}
	body, err := json.Marshal(map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{
			"user": map[string]any{"name": tenantName, "domain": domain, "password": tenantPassword},
		}},
		"scope": map[string]any{"project": map[string]any{"name": tenantProject, "domain": domain}},
	}})
	if err != nil {
		return 0, fmt.Errorf("sign in as %s: %w", tenantName, err)
	}
	signedIn, err := send(ctx, http.MethodPost, e.url+"/identity/v3/auth/tokens", "", string(body))
	if err != nil {
		return 0, err
	}
	if signedIn.status != http.StatusCreated {
		return 0, fmt.Errorf("sign in as %s: Keystone returned %d %s", tenantName, signedIn.status, signedIn.text)
	}
	deleted, err := send(ctx, http.MethodDelete, e.url+"/volume/v3/"+e.tenant+"/backups/"+backupID, signedIn.token, "")
	return deleted.status, err
}

// response is what a server of the demo returned.
type response struct {
	status      int
	text, token string
}

func send(ctx context.Context, method, url, token, body string) (response, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return response{}, fmt.Errorf("request %s: %w", url, err)
	}
	request.Close = true
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("X-Auth-Token", token)
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		return response{}, fmt.Errorf("request %s: %w", url, err)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	_ = resp.Body.Close() // it was read completely
	if err != nil {
		return response{}, fmt.Errorf("read the response of %s: %w", url, err)
	}
	return response{resp.StatusCode, string(text), resp.Header.Get("X-Subject-Token")}, nil
}
