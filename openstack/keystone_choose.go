package openstack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"staffeln/backup"
)

// OwnProjects returns the projects in which the owner of the token has a role. It returns [ErrInvalidToken] if Keystone rejects
// the token.
func (k *Keystone) OwnProjects(ctx context.Context, token string) ([]backup.Project, error) {
	if !sendable(token) {
		return nil, ErrInvalidToken
	}
	response, err := k.send(ctx, http.MethodGet, "/auth/projects", http.NoBody, http.Header{"X-Auth-Token": {token}})
	if err != nil {
		return nil, fmt.Errorf("list projects of a user: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // wire has read the body; nothing is left to close
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return nil, ErrInvalidToken
	default:
		return nil, fmt.Errorf("list projects of a user: Keystone returned %d", response.StatusCode)
	}
	var list struct {
		Projects []projectJSON `json:"projects"`
	}
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return nil, fmt.Errorf("list projects of a user: read response: %w", err)
	}
	all := []backup.Project{}
	for _, p := range list.Projects {
		all = append(all, backup.Project(p))
	}
	return all, nil
}

// Scope requests a token of a project, by its ID, for the owner of another token. It returns [ErrSignIn] if Keystone refuses.
func (k *Keystone) Scope(ctx context.Context, token, projectID string) (scoped string, holder Holder, err error) {
	body, err := json.Marshal(map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"token"}, "token": map[string]any{"id": token}},
		"scope":    map[string]any{"project": map[string]any{"id": projectID}},
	}})
	if err != nil {
		return "", Holder{}, fmt.Errorf("choose project: %w", err)
	}
	return k.issue(ctx, body)
}

// issue requests a token.
func (k *Keystone) issue(ctx context.Context, body []byte) (token string, holder Holder, err error) {
	response, err := k.send(ctx, http.MethodPost, "/auth/tokens?nocatalog", bytes.NewReader(body), nil)
	if err != nil {
		return "", Holder{}, fmt.Errorf("sign in: %w", err)
	}
	defer response.Body.Close() //nolint:errcheck // wire has read the body; nothing is left to close
	switch response.StatusCode {
	case http.StatusCreated:
	case http.StatusUnauthorized, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound:
		return "", Holder{}, ErrSignIn
	default:
		return "", Holder{}, fmt.Errorf("sign in: Keystone returned %d", response.StatusCode)
	}
	var t tokenResponse
	if err := json.NewDecoder(response.Body).Decode(&t); err != nil {
		return "", Holder{}, fmt.Errorf("sign in: read response: %w", err)
	}
	if token = response.Header.Get("X-Subject-Token"); token == "" {
		return "", Holder{}, errors.New("sign in: Keystone returned no token")
	}
	holder, err = t.holder()
	return token, holder, err
}
