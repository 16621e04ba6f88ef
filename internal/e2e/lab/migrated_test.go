//go:build openstack

package lab

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/services"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/stretchr/testify/require"
)

// An administrator migrates the volume of a running server to another backend. For that Cinder creates a second volume, which
// is attached to the server before both are swapped. It never counts as a tenant's volume, and the protection of the original
// continues.
//
// It needs the same as TestFaultsOnOpenStack. A laboratory with only one backend gets a second one, and keeps it.
func TestMigratedVolumeOnOpenStack(t *testing.T) {
	r := newLabRun(t)
	r.needDaemons(t)
	s := r.newTest(t, "migrated")
	s.secondBackend()
	migrated := s.tenant("acme").boot("migrated", 1, map[string]string{s.key: "true"})
	p := s.situations(migrated)
	p.migrate(migrated)
	require.Zero(t, p.ends(), "protection that ended")
	migrated.setMetadata(s.key, "false")
	p.until("protection ends by metadata", time.Minute, func() bool { return !p.protected(migrated) })
	p.requireAgreement()
	p.end()
}

const labBackend, secondBackend = "lab@lab#lab", "lab@other#lab"

// secondBackend adds a second backend to Cinder, if there is none, and does not remove it: Cinder would schedule volumes on
// a removed backend until that counts as down. Both backends store their files, which are named by ID, in the same folder, so
// every test finds them.
func (s *labTest) secondBackend() {
	s.t.Helper()
	const text = `[DEFAULT]
enabled_backends = lab,other
[other]
volume_driver = labdriver.SparseFileDriver
volume_backend_name = lab
`
	file := filepath.Join(s.home, "etc", "cinder-local.conf")
	before, err := os.ReadFile(file)
	if err == nil {
		require.Equal(s.t, text, string(before), "the laboratory's Cinder has settings that are not this test's")
	} else {
		require.ErrorIs(s.t, err, fs.ErrNotExist)
		require.NoError(s.t, os.WriteFile(file, []byte(text), 0o644)) // Cinder's daemons run as another user
		s.restartDaemon("cinder-volume")
	}
	s.until("both backends are up", 2*time.Minute, func() bool {
		pages, err := services.List(s.admin.volume, services.ListOpts{Binary: "cinder-volume"}).AllPages(s.ctx())
		require.NoError(s.t, err)
		all, err := services.ExtractServices(pages)
		require.NoError(s.t, err)
		up := map[string]bool{}
		for _, one := range all {
			up[one.Host+"#lab"] = one.State == "up"
		}
		return up[labBackend] && up[secondBackend]
	})
}

// migrate migrates a volume that is in use, and checks all the time that the volume remains protected. The target is listed in
// Cinder and must not be protected or backed up.
func (p *labSituations) migrate(of *labServer) {
	p.t.Helper()
	volume := of.Volumes[0]
	to := secondBackend
	if p.host(volume) == secondBackend {
		to = labBackend
	}
	p.until("Cinder accepts the migration", 2*time.Minute, func() bool { // refused during a backup
		p.readBackups()
		response, err := p.admin.volume.Post(p.ctx(), p.admin.volume.ServiceURL("volumes", volume, "action"),
			map[string]any{"os-migrate_volume": map[string]any{"host": to, "force_host_copy": true}}, nil, nil)
		if err == nil {
			require.NoError(p.t, response.Body.Close())
		}
		return err == nil
	})
	var targets, seen []string
	p.until("the volume is on the target backend", 3*time.Minute, func() bool {
		p.readBackups()
		require.True(p.t, p.protected(of), "in the middle of the migration")
		for _, v := range p.migrating() {
			if source, is := strings.CutPrefix(v.Migration, "target:"); is && source == volume && !slices.Contains(targets, v.ID) {
				targets = append(targets, v.ID)
			}
			if moment := v.Migration + " " + v.Status; v.ID == volume && !slices.Contains(seen, moment) {
				seen = append(seen, moment)
			}
		}
		return p.host(volume) == to
	})
	p.t.Logf("migrated to %s by way of %q, targets: %d", to, seen, len(targets))
	require.NotEmpty(p.t, targets, "the target was listed")
	began := time.Now()
	p.until("the volume is backed up from the target backend", 3*time.Minute, func() bool {
		p.readBackups()
		return p.count("volume_id = $1 AND state = 'available' AND data_timestamp > $2", volume, began) > 0
	})
	require.Zero(p.t, p.count("volume_id = ANY($1)", targets), "records of what it was migrated to")
	var protected int
	require.NoError(p.t, p.db.QueryRow(p.ctx(), `SELECT count(*) FROM volumes WHERE protected AND id = ANY($1)`, targets).Scan(&protected))
	require.Zero(p.t, protected, "what it was migrated to")
}

// host returns the backend of a volume.
func (p *labSituations) host(volume string) string {
	p.t.Helper()
	v, err := volumes.Get(p.ctx(), p.admin.volume, volume).Extract()
	require.NoError(p.t, err)
	return v.Host
}

// A labMigration is an administrator's view of a volume.
type labMigration struct {
	ID        string `json:"id"`
	Status    string `json:"status"`
	Migration string `json:"migration_status"`
}

// migrating returns the volumes that Cinder migrates, and their targets.
func (p *labSituations) migrating() []labMigration {
	p.t.Helper()
	pages, err := volumes.List(p.admin.volume, volumes.ListOpts{AllTenants: true}).AllPages(p.ctx())
	require.NoError(p.t, err)
	var all []labMigration
	require.NoError(p.t, volumes.ExtractVolumesInto(pages, &all))
	return slices.DeleteFunc(all, func(v labMigration) bool { return v.Migration == "" })
}
