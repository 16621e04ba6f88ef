//go:build openstack

package lab

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// needData skips a test that writes into the file of a volume, on clouds where that is not possible.
func (r *labRun) needData(t *testing.T) {
	t.Helper()
	if os.Getenv("E2E_WITHOUT_DATA") == "true" {
		t.Skip("NOT RUN: what is restored, byte for byte (E2E_WITHOUT_DATA=true)")
	}
	require.NotEmpty(t, r.home, "known data must be written into a volume, whose file is in the laboratory's folder: set E2E_LAB_HOME to the folder, "+
		"or set E2E_WITHOUT_DATA=true on a cloud that is no laboratory")
}

// alice returns the laboratory's own tenant, whose project contains the server web-1.
func (s *labTest) alice() *labClient {
	s.t.Helper()
	rc := maps.Clone(s.labRun.admin)
	rc["OS_USERNAME"], rc["OS_PASSWORD"], rc["OS_PROJECT_NAME"] = "alice", "labalice", "acme"
	h := s.login(rc)
	s.t.Cleanup(h.tidy)
	return h
}

// labData is the content of one volume.
type labData struct {
	s     *labTest
	file  string
	bytes []byte
	chaos *rand.ChaCha8
	gaps  int
}

func (s *labTest) volumeFile(volume string) string {
	return filepath.Join(s.home, "state", "volumes", "volume-"+volume)
}

func newLabData(s *labTest, volume string) *labData {
	s.t.Helper()
	d := &labData{s: s, file: s.volumeFile(volume), chaos: rand.NewChaCha8([32]byte([]byte("the same bytes in every run 0123")))}
	about, err := os.Stat(d.file)
	require.NoError(s.t, err)
	d.bytes = make([]byte, about.Size())
	return d
}

// change writes new data into the volume: all of it the first time, later a part at changing offsets. It returns the whole
// content.
func (d *labData) change() []byte {
	d.s.t.Helper()
	part := d.bytes
	if d.gaps > 0 {
		size := len(d.bytes) / 16
		begin := (d.gaps * 5 * size) % (len(d.bytes) - size)
		part = d.bytes[begin+d.gaps : begin+size] // not at the start of a block
	}
	d.gaps++
	_, err := d.chaos.Read(part)
	require.NoError(d.s.t, err)
	file, err := os.OpenFile(d.file, os.O_WRONLY, 0)
	require.NoError(d.s.t, err)
	_, err = file.WriteAt(d.bytes, 0)
	require.NoError(d.s.t, err)
	require.NoError(d.s.t, file.Sync())
	require.NoError(d.s.t, file.Close())
	return slices.Clone(d.bytes)
}

// read returns the whole content of a volume.
func (d *labData) read(volume string) []byte {
	d.s.t.Helper()
	all, err := os.ReadFile(d.s.volumeFile(volume))
	require.NoError(d.s.t, err)
	return all
}
