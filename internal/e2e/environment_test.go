package e2e

import (
	"testing"
	"time"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// environment is the whole program in this process, with helpers that only this folder needs.
type environment struct{ *rig.Environment }

func newEnvironment(t *testing.T, change func(*backup.Settings, *cloudsim.Options)) *environment {
	t.Helper()
	return &environment{rig.NewEnvironment(t, change)}
}

// site is a rig.Site with helpers that only this folder needs.
type site struct{ *rig.Site }

func newSite(t *testing.T, life time.Duration) *site {
	t.Helper()
	return &site{rig.NewSite(t, life)}
}
