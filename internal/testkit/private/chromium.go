package private

import (
	"errors"
	"os/exec"
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
