package main

import (
	"net/http/httptest"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/telemetry"
	"staffeln/openstack"
)

func TestProcessIsNotReadyWhileItsLoginIsRefused(t *testing.T) {
	t.Parallel()
	sim := cloudsim.New(cloudsim.Options{Seed: 1})
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	env := sim.OpenRC(server.URL)
	credentials, err := openstack.FromEnv(func(name string) string { return env[name] })
	require.NoError(t, err)
	cloud, err := openstack.Connect(t.Context(), credentials, openstack.Config{})
	require.NoError(t, err)
	ready := telemetry.NewReadiness(zerolog.Nop(), telemetry.NewMetrics())
	ready.Add("login", loginWorks(cloud))
	require.Empty(t, ready.NotReady(t.Context()))

	sim.SetPassword(sim.Cast().Service, "another")
	sim.RevokeTokens(sim.Cast().Service)
	require.Error(t, cloud.VerifyAdmin(t.Context()))
	require.Equal(t, []string{"login"}, ready.NotReady(t.Context()))
}
