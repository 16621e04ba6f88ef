package openstack

import (
	"cmp"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
)

func keystoneOf(t *testing.T, c *Cloud) (*Keystone, Login) {
	t.Helper()
	k, err := NewKeystone(c.credentials, func(string, string, int, time.Duration) {})
	require.NoError(t, err)
	t.Cleanup(k.Close)
	user, admin := c.credentials.user, c.credentials.admin
	return k, Login{
		User: user.Username, Domain: cmp.Or(user.DomainID, user.DomainName), Password: user.Password,
		Project: cmp.Or(admin.ProjectID, admin.ProjectName), ProjectDomain: cmp.Or(admin.DomainID, admin.DomainName),
	}
}

func tokenHolder(t *testing.T, e *env) {
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

// The API process needs neither a password nor a role: each token is validated with the token itself.
func TestKeystone_NeedsNoPassword(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	reader := n.sim.AddUser("rita", "rita-secret", "")
	n.sim.Grant(reader, n.project, "reader")
	credentials, err := AddressFromEnv(func(name string) string {
		return map[string]string{"OS_AUTH_URL": n.rc["OS_AUTH_URL"], "OS_USERNAME": "staffeln", "OS_USER_DOMAIN_NAME": "Default"}[name]
	})
	require.NoError(t, err)
	k, err := NewKeystone(credentials, func(string, string, int, time.Duration) {})
	require.NoError(t, err)
	t.Cleanup(k.Close)
	token, _, err := k.SignIn(t.Context(), Login{User: "rita", Domain: "Default", Password: "rita-secret", Project: n.project})
	require.NoError(t, err)
	n.sim.ResetCounts()
	h, err := k.Validate(t.Context(), token)
	require.NoError(t, err)
	assert.Equal(t, reader, h.UserID)
	assert.Equal(t, []string{"reader"}, h.Roles)
	assert.Zero(t, n.sim.Counts()[tokenRoute], "the validation requests no token")

	for l, is := range map[Login]bool{
		{User: "staffeln", Domain: "Default"}: true, {User: "STAFFELN", Domain: "default"}: true, {User: "staffeln", Domain: "Corp"}: false,
		{User: "rita", Domain: "Default"}: false, {}: false,
	} {
		assert.Equal(t, is, credentials.Is(l), "%+v", l)
	}
	_, err = AddressFromEnv(func(string) string { return "" })
	require.ErrorContains(t, err, "OS_AUTH_URL")
}

// A failure of Keystone or of our own token does not make another user's token invalid.
func TestKeystone_FailureIsNotAnInvalidToken(t *testing.T) {
	t.Parallel()
	w := newSimulation(t, cloudsim.Options{})
	k, login := keystoneOf(t, w.connect(t, retrying))
	token, _, err := k.SignIn(t.Context(), login)
	require.NoError(t, err)
	_, err = k.Validate(t.Context(), token)
	require.NoError(t, err)
	w.sim.RevokeTokens(w.sim.Cast().Service)
	_, err = k.Validate(t.Context(), token)
	require.ErrorIs(t, err, ErrInvalidToken)
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
	back := w.sim.AddFault(cloudsim.Fault{Route: "GET /identity/v3/auth/tokens", Do: cloudsim.DropBefore{}})
	_, err = k.Validate(t.Context(), token)
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrInvalidToken)
	require.NotContains(t, err.Error(), token)
	back()
	w.sim.AddFault(cloudsim.Fault{Route: "POST /identity/v3/auth/tokens", Do: cloudsim.Refuse{Status: http.StatusBadGateway}})
	_, _, err = k.SignIn(t.Context(), login)
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrSignIn)
}
