//go:build openstack

// Package lab runs the whole program against a real OpenStack.
package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit"
)

// TestLabOnOpenStack runs the whole program as operators do (migrate, schedulers and workers, each as a process) against the
// cloud of the OS_* variables. Their account must have the role admin, inherited in every project of the domain.
//
// All names and metadata keys of the test have the prefix of its run, so it touches nothing else in the cloud. It removes
// everything that it created, also after a failure. It needs these variables:
//
//   - E2E_ALLOW_PROJECTS=true: the test creates projects and users, assigns roles to these users and sets quotas of these
//     projects.
//   - E2E_ADMIN_OPENRC: a file with the OS_* variables of an administrator, for these changes.
//   - E2E_LAB_HOME: the laboratory's folder, with its knobs and the files of its volumes; or E2E_WITHOUT_DATA=true, on a cloud
//     where the test cannot write into the file of a volume: then the tests that need this are reported as NOT RUN.
func TestLabOnOpenStack(t *testing.T) {
	run := newLabRun(t)
	t.Run("group", func(t *testing.T) {
		t.Run("chains", func(t *testing.T) { t.Parallel(); labChains(t, run) })
		t.Run("faults", func(t *testing.T) { t.Parallel(); labFaults(t, run) })
		t.Run("no role", func(t *testing.T) { t.Parallel(); labNoRole(t, run) })
		t.Run("restored", func(t *testing.T) { t.Parallel(); labRestored(t, run) })
	})
	t.Logf("the suite took %s", time.Since(run.began).Round(time.Second))
}

// labRun is one run of all tests.
type labRun struct {
	prefix  string // of all names and keys
	began   time.Time
	service map[string]string // OS_* of the program's account
	admin   map[string]string // OS_* of the administrator
	home    string            // folder of the laboratory; empty on other clouds
}

func newLabRun(t *testing.T) *labRun {
	t.Helper()
	r := &labRun{prefix: fmt.Sprintf("e2e-%x", time.Now().Unix()), began: time.Now(), service: map[string]string{}, home: os.Getenv("E2E_LAB_HOME")}
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "OS_") {
			r.service[name] = value
		}
	}
	require.NotEmpty(t, r.service, "no cloud is given: set the usual OS_* variables of an openrc")
	require.Equal(t, "true", os.Getenv("E2E_ALLOW_PROJECTS"),
		"this suite makes projects, users and quotas, all named %s-..., and removes them: allow it by E2E_ALLOW_PROJECTS=true", r.prefix)
	file := os.Getenv("E2E_ADMIN_OPENRC")
	require.NotEmpty(t, file, "who makes the projects? E2E_ADMIN_OPENRC: want a file with the OS_* of an administrator")
	r.admin = readOpenrc(t, file)
	return r
}

// readOpenrc reads an openrc: export NAME=value, possibly several in one line.
func readOpenrc(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err, "read E2E_ADMIN_OPENRC")
	rc := map[string]string{}
	for word := range strings.FieldsSeq(string(text)) {
		if name, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(name, "OS_") {
			rc[name] = strings.Trim(value, `'"`)
		}
	}
	require.NotEmpty(t, rc["OS_AUTH_URL"], "read E2E_ADMIN_OPENRC: no OS_AUTH_URL in it")
	return rc
}

// labTest is one test: the program and everything that the test creates.
type labTest struct {
	*labRun

	t      *testing.T
	prefix string // of this test's names
	key    string // of the server metadata that asks for backups
	admin  *labClient
}

func (r *labRun) newTest(t *testing.T, name string) *labTest {
	t.Helper()
	s := &labTest{
		labRun: r, t: t,
		prefix: r.prefix + "-" + name, key: strings.ReplaceAll(r.prefix+"_"+name+"_backup", "-", "_"),
	}
	s.admin = s.login(r.admin)
	return s
}

// ctx returns a context that does not end with the test, because cleanups need it too.
func (s *labTest) ctx() context.Context { return context.WithoutCancel(s.t.Context()) }

// retentionKey returns the metadata key for the retention.
func (s *labTest) retentionKey() string { return strings.TrimSuffix(s.key, "backup") + "retention" }

// until waits in real time for a condition. It checks once a second, because each check may call the cloud.
func (s *labTest) until(what string, within time.Duration, done func() bool) {
	s.t.Helper()
	var checked time.Time
	testkit.Eventually(s.t, what, within, func() bool {
		if time.Since(checked) < time.Second {
			return false
		}
		is := done()
		checked = time.Now()
		return is
	})
}

// knob sets one of the laboratory's knobs, if there is a laboratory, and returns a function that resets it.
func (s *labTest) knob(name, value string) (back func()) {
	s.t.Helper()
	if s.home == "" {
		return func() {}
	}
	file := filepath.Join(s.home, "state", "knobs", name)
	require.NoError(s.t, os.WriteFile(file, []byte(value), 0o644)) // cinder-backup runs as another user
	back = func() {
		if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
			s.t.Errorf("turn knob %s back: %v", name, err)
		}
	}
	s.t.Cleanup(back)
	return back
}
