//go:build openstack && browser

package lab

import (
	"maps"
	"strings"
	"testing"
	"time"

	"staffeln/internal/e2e/rig"
	"staffeln/internal/e2e/rig/chromium"
)

// A tenant and an operator use the page in a real browser, with real backups and users of a real Keystone.
func TestPageOnOpenStack(t *testing.T) {
	s := newLabRun(t).newTest(t, "page")
	alice, bob := s.tenant("acme"), s.tenant("globex")
	mine := alice.boot("web", 2, map[string]string{s.key: "true", s.retentionKey(): "2w"})
	other := bob.boot("app", 1, map[string]string{s.key: "true", s.retentionKey(): "2w"})
	p := s.start(map[string]string{"STAFFELN_BACKUP_MIN_INTERVAL": "10s", "STAFFELN_RPO_GRACE": "5min", "STAFFELN_FULL_BACKUP_DEPTH": "2"})
	for _, volume := range append(mine.Volumes, other.Volumes...) {
		p.until("backups of "+volume, 4*time.Minute, func() bool { return strings.HasPrefix(p.kinds(volume), "FIIF") })
	}
	p.restart(map[string]string{"STAFFELN_BACKUP_MIN_INTERVAL": "1h"}) // so that the list does not change while it is read twice
	env := maps.Clone(p.env)
	env["STAFFELN_API_LISTEN"] = rig.FreeAddress(t)
	rig.Launch(t, env, "api")
	url := "http://" + env["STAFFELN_API_LISTEN"]
	p.until("the api responds", time.Minute, func() bool { return rig.Responds(t, env["STAFFELN_API_LISTEN"], "http://127.0.0.1:8808/readyz") })

	b := chromium.Start(t, "")
	name := s.prefix + "-acme" // name of the project and of its user
	b.Walk(chromium.Visitor{URL: url, Volume: mine.Volumes[0], Limit: 3, As: "lab-tenant", User: name, Password: "made-up-4-a-test", Project: name, Absent: "globex"})
	rc := s.labRun.admin
	b.Walk(chromium.Visitor{URL: url, Volume: mine.Volumes[0], Limit: 3, As: "lab-operator", User: rc["OS_USERNAME"], Password: rc["OS_PASSWORD"], Project: rc["OS_PROJECT_NAME"]})
}
