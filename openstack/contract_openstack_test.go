//go:build openstack

package openstack

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// TestContractOnOpenStack holds the contract against the cloud of the OS_*
// variables. What it makes carries a prefix of this run, and is removed; other
// things are only looked at. It makes projects and users and changes quotas only
// where E2E_ALLOW_PROJECTS=true; without, it works in the project of OS_*.
func TestContractOnOpenStack(t *testing.T) {
	rc := map[string]string{}
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "OS_") {
			rc[name] = value
		}
	}
	require.NotEmpty(t, rc["OS_AUTH_URL"], "no cloud is given: set the usual OS_* variables of an openrc")
	c := connect(t, rc, patient)
	run := fmt.Sprintf("staffeln-contract-%x", time.Now().UnixNano())
	e := &env{
		cloud:   c,
		connect: func(t *testing.T, rc map[string]string) *Cloud { t.Helper(); return connect(t, rc, patient) },
		hand: &hand{
			rc: rc, cloud: c, prefix: run, tokens: map[string]string{},
			wait: func(*testing.T) { <-time.After(time.Second) }, // a real cloud takes real time
		},
		home:     c.AdminProjectID(),
		mayAlter: os.Getenv("E2E_ALLOW_PROJECTS") == "true",
		now:      time.Now,
		tag:      backup.Tag{Installation: run, Record: "1"},
	}
	if e.mayAlter {
		e.home = e.hand.project(t, "home")
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
	holdContract(t, e)
}
