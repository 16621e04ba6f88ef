package deploy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"staffeln/internal/config"
)

const (
	packageFile = "deploy/nfpm.yaml"
	builtUnits  = "bin/deb/"
)

// packaged is deploy/nfpm.yaml.
type packaged struct {
	Scripts  map[string]string
	Contents []struct {
		Source   string `yaml:"src"`
		Path     string `yaml:"dst"`
		Type     string
		FileInfo struct{ Mode os.FileMode } `yaml:"file_info"`
	}
}

func (p packaged) at(path string) (source, kind string, mode os.FileMode) {
	for _, c := range p.Contents {
		if c.Path == path {
			return c.Source, c.Type, c.FileInfo.Mode
		}
	}
	return "", "", 0
}

func TestPackageHasTheFilesOfDeploy(t *testing.T) {
	var p packaged
	require.NoError(t, yaml.Unmarshal(read(t, packageFile), &p))
	makefile := string(read(t, "Makefile"))

	source, kind, mode := p.at(config.StandardEnvFile)
	assert.Equal(t, builtUnits+"staffeln.env", source)
	assert.Equal(t, "config|noreplace", kind, "a conffile: an upgrade keeps what the administrator wrote")
	assert.Equal(t, os.FileMode(0o640), mode)
	assert.Contains(t, makefile, "cat .env.example deploy/systemd.env >"+source)
	_, kind, mode = p.at("/etc/staffeln/secrets")
	assert.Equal(t, "dir", kind)
	assert.Equal(t, os.FileMode(0o700), mode)

	source, _, _ = p.at("/usr/lib/systemd/system/")
	assert.Equal(t, builtUnits+"*.service", source)
	assert.Contains(t, makefile, "cp deploy/systemd/*.service "+builtUnits)
	assert.Contains(t, makefile, "sed -i 's,/usr/local/bin/,/usr/bin/,' "+builtUnits+"*.service")
	units, err := filepath.Glob(filepath.Join(repository, "deploy", "systemd", "*"))
	require.NoError(t, err)
	assert.Len(t, units, len(unitFiles)+1, "a unit that no test reads")
	for _, file := range unitFiles {
		assert.True(t, strings.HasPrefix(unit(t, file).one(t, "ExecStart"), "/usr/local/bin/staffeln "), "%s: what the Makefile replaces", file)
		for _, credential := range unit(t, file)["LoadCredential"] {
			_, path, _ := strings.Cut(credential, ":")
			assert.True(t, path == config.StandardEnvFile || filepath.Dir(path) == "/etc/staffeln/secrets", "%s: %s", file, credential)
		}
	}
	for _, path := range []string{"/usr/bin/staffeln", "/usr/bin/staffeln-db-manage"} {
		source, _, mode = p.at(path)
		assert.Equal(t, filepath.Base(path), filepath.Base(source))
		assert.Equal(t, os.FileMode(0o755), mode, path)
	}

	var sources []string
	for _, c := range p.Contents {
		sources = append(sources, c.Source)
		if c.Source == "" || strings.HasPrefix(c.Source, "bin/") {
			continue // made by `make deb`
		}
		found, err := filepath.Glob(filepath.Join(repository, c.Source))
		require.NoError(t, err)
		assert.NotEmpty(t, found, "%s: no such file", c.Source)
	}
	for _, name := range []string{"docs/*.md", "deploy/cinder/*", "deploy/systemd.env", "CHANGELOG.md", "LICENSE"} {
		assert.True(t, slices.Contains(sources, name), "the package lacks %s", name)
	}
	for _, script := range p.Scripts {
		assert.Contains(t, string(read(t, script)), "\nset -e\n", script)
	}
	assert.Len(t, p.Scripts, 3)
}

// The lines that the package and docs/running.md append to .env.example name the files that the units load.
func TestEnvFileOfSystemdNamesTheSecretsOfTheUnits(t *testing.T) {
	loaded := map[string]bool{}
	for _, file := range unitFiles {
		for _, credential := range unit(t, file)["LoadCredential"] {
			_, path, _ := strings.Cut(credential, ":")
			loaded[path] = true
		}
	}
	found := 0
	for name, values := range unit(t, "deploy/systemd.env") {
		if strings.HasSuffix(name, "_FILE") {
			found++
			assert.True(t, loaded[values[0]], "%s: no unit loads %s", name, values[0])
		}
	}
	assert.Equal(t, 3, found)
}
