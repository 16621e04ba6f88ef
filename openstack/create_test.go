package openstack

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

func TestRefusedNameIsReplacedByPlainName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bad  func(rune) bool
		name string
	}{
		"a name beyond ASCII": {cloudsim.BeyondASCII, "café_データ_1"},
		"a name":              {func(r rune) bool { return r == '%' }, "100%_data_1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t, cloudsim.Options{})
			n.sim.AddFault(cloudsim.RefuseTexts(createRoute, c.bad, http.StatusBadRequest))
			request := n.request()
			request.Name = c.name
			id, err := n.cloud.CreateBackup(t.Context(), request)
			require.NoError(t, err)
			assert.Equal(t, 2, n.sim.Counts()[createRoute])
			n.step(time.Minute)
			b, err := n.cloud.Backup(t.Context(), n.project, id)
			require.NoError(t, err)
			assert.Equal(t, backup.StatusAvailable, b.Status)
			assert.Equal(t, request.PlainName(), b.Name)
			assert.Equal(t, request.Tag, b.Tag(), "it is found by its description")
			assert.Empty(t, b.Metadata)
		})
	}
}

func TestRefusedCreationIsRetriedWithPlainTextsOnce(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	n.sim.AddFault(cloudsim.Fault{Route: createRoute, Do: cloudsim.Refuse{Status: http.StatusBadRequest}})
	_, err := n.cloud.CreateBackup(t.Context(), n.request())
	requireMeaning(t, backup.MeansRefused, err)
	assert.Equal(t, 2, n.sim.Counts()[createRoute])
}

func TestPlainRequestSucceedsAfterServerErrorsForName(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	n.sim.AddFault(cloudsim.RefuseTexts(createRoute, cloudsim.BeyondASCII, http.StatusInternalServerError))
	request := n.request()
	request.Name = "データ"
	_, err := n.cloud.CreateBackup(t.Context(), request)
	require.True(t, requireFault(t, backup.MeansUnavailable, err).Unknown)
	require.Equal(t, 1, n.sim.Counts()[createRoute], "its effect is not known")
	request.Plain = true
	_, err = n.cloud.CreateBackup(t.Context(), request)
	require.NoError(t, err)
}

func TestCreationInAvailabilityZone(t *testing.T) {
	t.Parallel()
	for zone, want := range map[string]struct {
		status  backup.Status
		meaning backup.Meaning
	}{
		"east": {backup.StatusAvailable, ""},
		"":     {backup.StatusError, backup.MeansNoService},
	} {
		n := newTenant(t, cloudsim.Options{Release: cloudsim.Epoxy})
		n.sim.SetBackupZones("east")
		request := n.request()
		request.Zone = zone
		id, err := n.cloud.CreateBackup(t.Context(), request)
		require.NoError(t, err)
		n.step(time.Minute)
		b, err := n.cloud.Backup(t.Context(), n.project, id)
		require.NoError(t, err)
		assert.Equal(t, want.status, b.Status)
		assert.Equal(t, want.meaning, b.FailMeaning)
	}
}
