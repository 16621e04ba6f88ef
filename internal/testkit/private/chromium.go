package private

import (
	"errors"
	"os/exec"
)

// FindChromium answers the path of a Chromium for the tests in a browser: Debian's, or what stands for it elsewhere.
func FindChromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("find chromium: not in PATH: run the tests in a browser by `make test-browser`, which installs it, or apt-get install chromium")
}
