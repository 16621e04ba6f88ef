package e2e

import (
	"testing"
	"time"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// environment is the whole program in this process; its methods are what only the tests of this folder ask.
type environment struct{ *rig.Environment }

func newEnvironment(t *testing.T, change func(*backup.Settings, *cloudsim.Options)) *environment {
	t.Helper()
	return &environment{rig.NewEnvironment(t, change)}
}

// site is a rig.Site and how the tests of this folder ask it.
type site struct{ *rig.Site }

func newSite(t *testing.T, life time.Duration) *site {
	t.Helper()
	return &site{rig.NewSite(t, life)}
}
