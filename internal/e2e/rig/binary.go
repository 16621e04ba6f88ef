package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Program returns the path of the real binary. It is built once for all test packages; if it is current, it is not linked
// again.
func Program(t testing.TB) string {
	t.Helper()
	dir, err := build()
	require.NoError(t, err)
	return filepath.Join(dir, "staffeln")
}

// Simulation returns the path of the real staffeln-sim. It is in the folder of staffeln, because its demo starts staffeln.
func Simulation(t testing.TB) string {
	t.Helper()
	return filepath.Join(filepath.Dir(Program(t)), "staffeln-sim")
}

// build holds a lock, because test packages run at the same time.
var build = sync.OnceValues(func() (string, error) {
	ctx := context.Background()
	root, err := repository()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, ".bin", "e2e")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	lock, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer lock.Close() //nolint:errcheck // nothing was written
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", dir+"/", "staffeln/cmd/...").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build staffeln and staffeln-sim: %w\n%s", err, out)
	}
	return dir, nil
})

// Repository returns the folder of the repository.
func Repository(t testing.TB) string {
	t.Helper()
	root, err := repository()
	require.NoError(t, err)
	return root
}

var repository = sync.OnceValues(func() (string, error) {
	root, err := exec.CommandContext(context.Background(), "go", "list", "-m", "-f", "{{.Dir}}", "staffeln").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return strings.TrimSpace(string(root)), nil
})
