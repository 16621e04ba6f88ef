package private

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
)

// FindChromium returns the path of a Chromium for the browser tests, under any of its usual names.
func FindChromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("find chromium: not in PATH: run the tests in a browser by `make test-browser`, which installs it, or apt-get install chromium")
}

// FindPromtool returns the path of Prometheus' promtool, which checks metrics and alert rules.
func FindPromtool() (string, error) {
	path, err := exec.LookPath("promtool")
	if err != nil {
		return "", errors.New("find promtool: not in PATH: run the tests by `make test`, which installs it, or apt-get install prometheus")
	}
	return path, nil
}

// FindPostgres returns the folder with the programs of the newest Postgres server: Debian's, else the one in PATH.
func FindPostgres() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", fmt.Errorf("find postgres: %w", err)
	}
	if path := newest(found); path != "" {
		return filepath.Dir(path), nil
	}
	path, err := exec.LookPath("postgres")
	if err != nil {
		return "", errors.New("find postgres: neither in /usr/lib/postgresql/*/bin nor in PATH: apt-get install postgresql")
	}
	return filepath.Dir(path), nil
}

// FindRedis returns the path of redis-server.
func FindRedis() (string, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", errors.New("find redis-server: not in PATH: apt-get install redis-server")
	}
	return path, nil
}
