//go:build openstack

package openstack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// TestContractOnOpenStack tests the contract on the cloud of the OS_* variables. The names of what it makes have a prefix of
// this run, and it deletes them; it only reads everything else. It makes projects and users and changes quotas only if
// E2E_ALLOW_PROJECTS=true; otherwise it works in the project of OS_*.
func TestContractOnOpenStack(t *testing.T) {
	rc := map[string]string{}
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "OS_") {
			rc[name] = value
		}
	}
	require.NotEmpty(t, rc["OS_AUTH_URL"], "no cloud is given: set the usual OS_* variables of an openrc")
	c := connect(t, rc, retrying)
	run := fmt.Sprintf("staffeln-contract-%x", time.Now().UnixNano())
	e := &env{
		cloud:   c,
		connect: func(t *testing.T, rc map[string]string) *Cloud { t.Helper(); return connect(t, rc, retrying) },
		client: &client{
			rc: rc, cloud: c, prefix: run, tokens: map[string]string{},
			wait: func(*testing.T) { <-time.After(time.Second) }, // a real cloud needs real time
		},
		home:      c.AdminProjectID(),
		mayChange: os.Getenv("E2E_ALLOW_PROJECTS") == "true",
		now:       time.Now,
		real:      true,
		release:   releaseOf(t, c),
		tag:       backup.Tag{Installation: run, Record: "1"},
	}
	if e.mayChange {
		e.home = e.client.project(t, "home")
	}
	seen, err := c.Observe(t.Context())
	require.NoError(t, err)
	for _, p := range seen.Projects {
		if _, err := c.scope(t.Context(), p.ID); err == nil && p.ID != e.home && p.Enabled {
			e.away = p.ID
			break
		}
	}
	require.NotEmpty(t, e.away, "the user has a role in one project only: want one more to test with")
	t.Logf("release: %s", e.release)
	testContract(t, e)
}

// releaseOf returns the release by Nova's newest microversion, which every release raises.
func releaseOf(t *testing.T, c *Cloud) string {
	t.Helper()
	root, err := url.Parse(c.admin.base(nova))
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, root.Scheme+"://"+root.Host+"/", http.NoBody)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close() //nolint:errcheck // a test's own request
	var response struct{ Versions []struct{ Version string } }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&response))
	for _, v := range response.Versions {
		if _, minor, ok := strings.Cut(v.Version, "2."); ok {
			n, err := strconv.Atoi(minor)
			require.NoError(t, err)
			switch {
			case n > 103:
				require.Failf(t, "a release that we do not know", "Nova offers 2.%d: add the release (CONTRIBUTING.md)", n)
			case n > 100:
				return gazpacho
			case n > 93:
				return epoxy
			default:
				return zed
			}
		}
	}
	require.Fail(t, "no version of Nova", "%v", response)
	return ""
}
