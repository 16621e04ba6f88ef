package openstack

import (
	"cmp"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/openstack/cloudsim"
)

func keystoneOf(t *testing.T, c *Cloud) (*Keystone, Login) {
	t.Helper()
	k, err := NewKeystone(c.credentials, func(string, string, int) {})
	require.NoError(t, err)
	t.Cleanup(k.Close)
	user, admin := c.credentials.user, c.credentials.admin
	return k, Login{
		User: user.Username, Domain: cmp.Or(user.DomainID, user.DomainName), Password: user.Password,
		Project: cmp.Or(admin.ProjectID, admin.ProjectName), ProjectDomain: cmp.Or(admin.DomainID, admin.DomainName),
	}
}

func tokenTells(t *testing.T, e *env) {
	k, login := keystoneOf(t, e.cloud)
	token, signed, err := k.SignIn(t.Context(), login)
	require.NoError(t, err)
	seen, err := k.Validate(t.Context(), token)
	require.NoError(t, err)
	assert.ElementsMatch(t, signed.Roles, seen.Roles)
	seen.Roles, signed.Roles = nil, nil
	assert.Equal(t, signed, seen)
	assert.Equal(t, e.cloud.AdminProjectID(), seen.ProjectID)
	assert.Equal(t, e.cloud.UserID(), seen.UserID)
	assert.True(t, seen.Expires.After(seen.Issued))

	for _, garbage := range []string{"", "garbage", token + "x", strings.Repeat("x", 20<<10), "two words", "line\nbreak", "ümlaut"} {
		_, err := k.Validate(t.Context(), garbage)
		require.ErrorIs(t, err, ErrInvalidToken, "%.20q", garbage)
	}
	for _, wrong := range []Login{
		{login.User, login.Domain, "wrong", login.Project, login.ProjectDomain},
		{"nobody-" + login.User, login.Domain, login.Password, login.Project, login.ProjectDomain},
		{login.User, "no such domain", login.Password, login.Project, login.ProjectDomain},
		{login.User, login.Domain, login.Password, "no such project", login.ProjectDomain},
	} {
		_, _, err := k.SignIn(t.Context(), wrong)
		require.ErrorIs(t, err, ErrSignIn)
	}
	require.NoError(t, k.Revoke(t.Context(), token))
	_, err = k.Validate(t.Context(), token)
	require.ErrorIs(t, err, ErrInvalidToken)
	require.NoError(t, k.Revoke(t.Context(), token), "it has ended already")
}

// Nobody's token is taken for a bad one because Keystone, or our own token, is away.
func TestKeystone_WhatNobodyKnowsIsNoRefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, cloudsim.Options{})
	k, login := keystoneOf(t, w.connect(t, patient))
	token, _, err := k.SignIn(t.Context(), login)
	require.NoError(t, err)
	_, err = k.Validate(t.Context(), token)
	require.NoError(t, err)
	w.sim.RevokeTokens(w.sim.Cast().Service) // our own too
	_, err = k.Validate(t.Context(), token)
	require.ErrorIs(t, err, ErrInvalidToken, "our own is renewed, and that one is asked about anew")
	w.step(2 * time.Hour)
	token, _, err = k.SignIn(t.Context(), login)
	require.NoError(t, err)
	_, err = k.Validate(t.Context(), token)
	require.NoError(t, err)

	for _, status := range []int{http.StatusServiceUnavailable, http.StatusForbidden, http.StatusTooManyRequests} {
		w.sim.AddFault(cloudsim.Fault{Route: "GET /identity/v3/auth/tokens", Times: 1, Do: cloudsim.Refuse{Status: status}})
		_, err = k.Validate(t.Context(), token)
		require.Error(t, err)
		require.NotErrorIs(t, err, ErrInvalidToken, status)
	}
	w.sim.SetPassword(w.sim.Cast().Service, "changed")
	_, err = k.Validate(t.Context(), token)
	require.Error(t, err, "our own password is refused")
	require.NotErrorIs(t, err, ErrInvalidToken)
	require.NotContains(t, err.Error(), token)
	w.sim.AddFault(cloudsim.Fault{Route: "POST /identity/v3/auth/tokens", Do: cloudsim.Refuse{Status: http.StatusBadGateway}})
	_, _, err = k.SignIn(t.Context(), login)
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrSignIn)
}
