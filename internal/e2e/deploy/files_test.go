package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const repository = "../../.."

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	require.NoError(t, err)
	return text
}

// composed is the part of docker-compose.yml that the tests need.
type composed struct {
	Services map[string]service
	Secrets  map[string]struct{ File string }
}

type service struct {
	Image, User, Restart string
	Command              []string
	Environment          map[string]string
	Secrets, Ports       []string
	ReadOnly             bool     `yaml:"read_only"`
	CapDrop              []string `yaml:"cap_drop"`
	StopGracePeriod      string   `yaml:"stop_grace_period"`
	Healthcheck          struct {
		Test        []string
		Timeout     string
		StartPeriod string `yaml:"start_period"`
	}
}

func compose(t *testing.T) (c composed) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal(read(t, composeFile), &c))
	require.NotEmpty(t, c.ours())
	return c
}

func (c composed) ours() map[string]service {
	found := map[string]service{}
	for name, s := range c.Services {
		if strings.HasPrefix(s.Image, "staffeln:") {
			found[name] = s
		}
	}
	return found
}

// settings are the lines of a systemd unit.
type settings map[string][]string

func unit(t *testing.T, file string) settings {
	t.Helper()
	found := settings{}
	for line := range strings.Lines(string(read(t, file))) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			found[name] = append(found[name], value)
		}
	}
	return found
}

func (s settings) one(t *testing.T, name string) string {
	t.Helper()
	require.Len(t, s[name], 1, name)
	return s[name][0]
}

// constant reads a duration constant from the source: the packages do not export it.
func constant(t *testing.T, file, name string) time.Duration {
	t.Helper()
	found := regexp.MustCompile(`(?m)^(?:const|\t)\s*` + name + `\s*= (\d+) \* time\.Second$`).FindSubmatch(read(t, file))
	require.NotNil(t, found, "%s: no %s", file, name)
	return duration(t, string(found[1])+"s")
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	require.NoError(t, err)
	return d
}
