package openstack

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/kelseyhightower/envconfig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

const secret = "s3cret-of-the-test"

// openrc returns the variables of a usual openrc file. with adds variables; "" removes one.
func openrc(with map[string]string) func(string) string {
	rc := map[string]string{
		"OS_AUTH_URL": "https://cloud.example:5000/v3", "OS_USERNAME": "staffeln", "OS_PASSWORD": secret,
		"OS_PROJECT_NAME": "admin", "OS_USER_DOMAIN_NAME": "Users", "OS_PROJECT_DOMAIN_NAME": "Projects",
	}
	maps.Copy(rc, with)
	return func(name string) string { return rc[name] }
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestFromEnvReadsOpenrc(t *testing.T) {
	t.Parallel()
	user := gophercloud.AuthOptions{Username: "staffeln", Password: secret, DomainName: "Users"}
	admin := gophercloud.AuthScope{ProjectName: "admin", DomainName: "Projects"}
	passwordFile := file(t, "password", secret+"\n")
	for name, c := range map[string]struct {
		with map[string]string
		want func(c *Credentials)
	}{
		"two domains by name": {nil, func(*Credentials) {}},
		"by ID": {map[string]string{"OS_USER_ID": "u1", "OS_PROJECT_ID": "p1"}, func(c *Credentials) {
			c.user = gophercloud.AuthOptions{UserID: "u1", Password: secret}
			c.admin = gophercloud.AuthScope{ProjectID: "p1"}
		}},
		"one domain for both": {map[string]string{"OS_USER_DOMAIN_NAME": "", "OS_PROJECT_DOMAIN_NAME": "", "OS_DOMAIN_ID": "d1"}, func(c *Credentials) {
			c.user.DomainName, c.user.DomainID = "", "d1"
			c.admin.DomainName, c.admin.DomainID = "", "d1"
		}},
		"domains by ID": {map[string]string{"OS_USER_DOMAIN_ID": "d1", "OS_PROJECT_DOMAIN_ID": "d2"}, func(c *Credentials) {
			c.user.DomainName, c.user.DomainID = "", "d1"
			c.admin.DomainName, c.admin.DomainID = "", "d2"
		}},
		"default domain": {map[string]string{"OS_USER_DOMAIN_NAME": "", "OS_PROJECT_DOMAIN_NAME": "", "OS_DEFAULT_DOMAIN": "d3"}, func(c *Credentials) {
			c.user.DomainName, c.user.DomainID = "", "d3"
			c.admin.DomainName, c.admin.DomainID = "", "d3"
		}},
		"no domain": {map[string]string{"OS_USER_DOMAIN_NAME": "", "OS_PROJECT_DOMAIN_NAME": ""}, func(c *Credentials) {
			c.user.DomainName, c.user.DomainID = "", "default"
			c.admin.DomainName, c.admin.DomainID = "", "default"
		}},
		"tenant of old": {map[string]string{"OS_PROJECT_NAME": "", "OS_TENANT_NAME": "old"}, func(c *Credentials) { c.admin.ProjectName = "old" }},
		"tenant ID":     {map[string]string{"OS_TENANT_ID": "t1"}, func(c *Credentials) { c.admin = gophercloud.AuthScope{ProjectID: "t1"} }},
		"region":        {map[string]string{"OS_REGION_NAME": "north"}, func(c *Credentials) { c.region = "north" }},
		"internal":      {map[string]string{"OS_INTERFACE": "internal"}, func(c *Credentials) { c.iface = "internal" }},
		"adminURL":      {map[string]string{"OS_ENDPOINT_TYPE": "adminURL"}, func(c *Credentials) { c.iface = "admin" }},
		"auth type":     {map[string]string{"OS_AUTH_TYPE": "v3password"}, func(*Credentials) {}},
		"from a file":   {map[string]string{"OS_PASSWORD": "", "OS_PASSWORD_FILE": passwordFile}, func(c *Credentials) { c.passwordFile = passwordFile }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := Credentials{authURL: "https://cloud.example:5000/v3", iface: "public", user: user, admin: admin}
			c.want(&want)
			got, err := FromEnv(openrc(c.with))
			require.NoError(t, err)
			assert.False(t, got.transport.InsecureSkipVerify)
			got.transport = nil
			assert.Equal(t, want, got)
		})
	}
}

func TestFromEnvReportsAllErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		with map[string]string
		want []string
	}{
		"empty": {
			map[string]string{"OS_AUTH_URL": "", "OS_USERNAME": "", "OS_PASSWORD": "", "OS_PROJECT_NAME": ""},
			[]string{"OS_AUTH_URL", "OS_USERNAME", "OS_PASSWORD", "OS_PROJECT_NAME"},
		},
		"application credential": {
			map[string]string{"OS_AUTH_TYPE": "v3applicationcredential", "OS_APPLICATION_CREDENTIAL_ID": "a", "OS_APPLICATION_CREDENTIAL_SECRET": secret},
			[]string{"OS_AUTH_TYPE", "OS_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_SECRET", "can't be re-scoped to projects"},
		},
		"system scope":        {map[string]string{"OS_SYSTEM_SCOPE": "all"}, []string{"OS_SYSTEM_SCOPE", "can't be re-scoped to projects"}},
		"token":               {map[string]string{"OS_TOKEN": secret}, []string{"OS_TOKEN", "can't be re-scoped to projects"}},
		"URL with a password": {map[string]string{"OS_AUTH_URL": "cloud://u:" + secret + "@x/%"}, []string{"OS_AUTH_URL"}},
		"URL without a host":  {map[string]string{"OS_AUTH_URL": "https:///v3"}, []string{"OS_AUTH_URL"}},
		"interface":           {map[string]string{"OS_INTERFACE": "private"}, []string{"OS_INTERFACE", "private"}},
		"insecure":            {map[string]string{"OS_INSECURE": "maybe"}, []string{"OS_INSECURE", "maybe"}},
		"both passwords":      {map[string]string{"OS_PASSWORD_FILE": "x"}, []string{"OS_PASSWORD_FILE", "both"}},
		"no password file":    {map[string]string{"OS_PASSWORD": "", "OS_PASSWORD_FILE": "does-not-exist"}, []string{"OS_PASSWORD_FILE", "does-not-exist"}},
		"empty file":          {map[string]string{"OS_PASSWORD": "", "OS_PASSWORD_FILE": file(t, "empty", "\n")}, []string{"OS_PASSWORD_FILE", "is empty"}},
		"no CA":               {map[string]string{"OS_CACERT": "does-not-exist"}, []string{"OS_CACERT"}},
		"CA without a cert":   {map[string]string{"OS_CACERT": file(t, "ca", "nothing")}, []string{"OS_CACERT", "no certificate"}},
		"half a pair":         {map[string]string{"OS_CERT": "x"}, []string{"OS_CERT", "OS_KEY"}},
		"no pair":             {map[string]string{"OS_CERT": "x", "OS_KEY": "y"}, []string{"OS_CERT"}},
		"unknown cloud":       {map[string]string{"OS_CLOUD": "x", "OS_CLIENT_CONFIG_FILE": file(t, "clouds.yaml", "clouds: {}")}, []string{"OS_CLOUD", `"x"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := FromEnv(openrc(c.with))
			require.Error(t, err)
			for _, word := range c.want {
				assert.Contains(t, err.Error(), word)
			}
			assert.NotContains(t, err.Error(), secret)
		})
	}
}

const cloudsYAML = `
clouds:
  good:
    region_name: north
    interface: internal
    auth: {auth_url: "https://cloud.example/identity", username: staffeln, password: from-the-file, project_name: admin, user_domain_name: Users, project_domain_id: p0}
  plain:
    auth: {auth_url: "https://cloud.example/identity", user_id: u1, project_id: p1}
  credential:
    auth_type: v3applicationcredential
    auth: {auth_url: "https://cloud.example/identity", application_credential_id: a, application_credential_secret: ` + secret + `}
  system:
    auth: {auth_url: "https://cloud.example/identity", username: staffeln, password: x, system_scope: all}
`

func TestFromEnvReadsCloudsYAML(t *testing.T) {
	t.Parallel()
	path := file(t, "clouds.yaml", cloudsYAML)
	read := func(name string, with map[string]string) (Credentials, error) {
		env := map[string]string{"OS_CLOUD": name, "OS_CLIENT_CONFIG_FILE": path}
		maps.Copy(env, with)
		return FromEnv(func(name string) string { return env[name] })
	}
	c, err := read("good", nil)
	require.NoError(t, err)
	c.transport = nil
	assert.Equal(t, Credentials{
		authURL: "https://cloud.example/identity", region: "north", iface: "internal",
		user:  gophercloud.AuthOptions{Username: "staffeln", Password: "from-the-file", DomainName: "Users"},
		admin: gophercloud.AuthScope{ProjectName: "admin", DomainID: "p0"},
	}, c)

	c, err = read("plain", map[string]string{"OS_PASSWORD_FILE": file(t, "pw", secret), "OS_REGION_NAME": "south", "OS_INSECURE": "true"})
	require.NoError(t, err)
	assert.Equal(t, secret, c.user.Password)
	assert.Equal(t, "south", c.region)
	assert.Equal(t, gophercloud.AuthScope{ProjectID: "p1"}, c.admin)
	assert.True(t, c.transport.InsecureSkipVerify)

	for _, name := range []string{"credential", "system"} {
		_, err = read(name, nil)
		require.ErrorContains(t, err, "can't be re-scoped to projects")
		assert.NotContains(t, err.Error(), secret)
	}
	_, err = read("plain", nil)
	require.ErrorContains(t, err, "OS_PASSWORD")
}

func TestCredentialsNeverPrintThePassword(t *testing.T) {
	t.Parallel()
	c, err := FromEnv(openrc(nil))
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, v := range []any{c, &c, struct{ C Credentials }{c}, []Credentials{c}} {
			assert.NotContains(t, fmt.Sprintf(verb, v), secret, verb)
		}
	}
	assert.Contains(t, c.String(), "staffeln")
}

func TestTLSWithPrivateCA(t *testing.T) {
	t.Parallel()
	sim := cloudsim.New(cloudsim.Options{Seed: 1})
	server := httptest.NewTLSServer(sim)
	defer server.Close()
	rc := sim.OpenRC(server.URL)
	get := func(name string) string { return rc[name] }
	credentials, err := FromEnv(get)
	require.NoError(t, err)
	_, err = Connect(t.Context(), credentials, Config{})
	fault := requireFault(t, backup.MeansUnavailable, err)
	assert.Contains(t, fault.Error(), "certificate")

	rc["OS_INSECURE"] = "true"
	cloud := connect(t, rc, Config{})
	require.NoError(t, cloud.VerifyAdmin(t.Context()))
}

func TestUnreachableKeystoneIsUnavailable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(nil)
	server.Close()
	credentials, err := FromEnv(openrc(map[string]string{"OS_AUTH_URL": server.URL}))
	require.NoError(t, err)
	_, err = Connect(t.Context(), credentials, Config{})
	requireMeaning(t, backup.MeansUnavailable, err)
	assert.NotContains(t, err.Error(), secret)
}

func TestWrongPasswordIsUnauthorised(t *testing.T) {
	t.Parallel()
	w := newSimulation(t, cloudsim.Options{})
	w.rc["OS_PASSWORD"] = secret
	credentials, err := FromEnv(func(name string) string { return w.rc[name] })
	require.NoError(t, err)
	_, err = Connect(t.Context(), credentials, retrying)
	requireMeaning(t, backup.MeansUnauthorised, err)
	assert.NotContains(t, err.Error(), secret)
	assert.Equal(t, 1, w.sim.Counts()[tokenRoute], "a wrong password is not tried again: accounts are locked by that")
}

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	var c Config
	require.NoError(t, envconfig.Process("staffeln_no_such_prefix", &c))
	assert.Equal(t, retrying, c)
}

func TestConfigReportsAllErrors(t *testing.T) {
	t.Parallel()
	require.NoError(t, retrying.Validate())
	err := Config{RetryTimeout: -1, SkipRetryCodes: []int{200}, SecretRoles: []string{" "}}.Validate()
	for _, word := range []string{"RETRY_TIMEOUT", "SKIP_RETRY_CODES", "SECRET_ROLES"} {
		require.ErrorContains(t, err, word)
	}
	require.ErrorContains(t, Config{RetryTimeout: 1}.Validate(), "MAX_RETRY_INTERVAL")
	_, err = Connect(t.Context(), Credentials{}, Config{RetryTimeout: -1})
	require.ErrorContains(t, err, "RETRY_TIMEOUT")
}
