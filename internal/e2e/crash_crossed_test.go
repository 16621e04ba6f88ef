package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// uncrossed are the calls that the story does not make, by the function around them and what they call (for the how many-eth
// time in it), and why.
var uncrossed = map[string]string{
	"(*db.Claim).move > (*db.Claim).unmoved": "after another handler's win only",
	"(*db.Claim).unmoved > db.pauses":        "the same",

	"(*db.Beat).ForgetFailures > (*db.Beat).forget": "no volume of the story fails more often than is remembered; Forget makes the same call",

	"(*openstack.Cloud).do > (*openstack.scope).renewBeforeItEnds":                        "a token near its end; asking for one is crossed at the start",
	"(*openstack.scope).renewBeforeItEnds > (*gophercloud.ProviderClient).Reauthenticate": "the same",
	"(*openstack.Cloud).send > (*gophercloud.ProviderClient).Request #2":                  "a request in whose place another one renewed the token",
	"(*openstack.Cloud).do > (*openstack.Cloud).explainRefusal":                           "a role that ends with a token",
	"(*openstack.Cloud).secretRight > (*openstack.Cloud).explainRefusal":                  "the same",
	"(*openstack.Cloud).eachBackup > (*openstack.Cloud).requireAdmin":                     "a token made before we got the role",
	"(*openstack.Cloud).Observe > (*openstack.Cloud).requireAdmin":                        "the same",
	"(*openstack.Cloud).verifyAdmin > (*openstack.Cloud).requireAdmin":                    "the same",
	"(*openstack.Cloud).requireAdmin > (*openstack.scope).renew":                          "the same",

	"(*tasks.handover).placeAs > (*asynq.Inspector).GetTaskInfo #2": "a task taken between look and deletion; the other look is crossed",

	"(*worker.Worker).begin > (*db.Claim).Withdraw":     "a volume moved since the newest plan, which withdraws what is planned",
	"(*worker.Worker).begin > (*worker.Worker).fail":    "a volume that went bad since the newest plan",
	"(*worker.Worker).askAgain > (*worker.Worker).fail": "a project that goes between two requests",
	"(*worker.pass).delete > (*worker.pass).confirm":    "a backup that goes between listing and deletion",
	"(*worker.pass).delete > (*db.Claim).Removed":       "the same",

	"(*worker.Worker).poll > (*worker.Worker).unstickOverdue":    "a forced removal of an overdue backup that fails; the other calls of the same are crossed",
	"(*worker.Worker).poll > (*worker.Worker).unstickOverdue #3": "a forced removal of an overdue backup on its way",
	"(*worker.pass).unstick > (*worker.pass).giveUp #2":          "a removal that hangs again after its reset",
	"(*worker.pass).unstick > (*db.Claim).Later":                 "a removal that hangs between two steps",

	"(*scheduler.Scheduler).missingSecrets > (*scheduler.Scheduler).lookForSecrets": "its questions are goroutines",
	"(*openstack.Cloud).Secrets > (*openstack.Cloud).askBarbican":                   "a project's first token; others take theirs before a sweep",
	"(*openstack.Cloud).Secret > (*openstack.Cloud).askBarbican":                    "the same",
	"(*openstack.Cloud).askBarbican > (*openstack.Cloud).current":                   "an endpoint that moved",

	"(*scheduler.Scheduler).reign > (*db.Leadership).Keep":                    "a goroutine beside the beats",
	"(*scheduler.Scheduler).Run > (*scheduler.Scheduler).reign":               "its loops are goroutines",
	"(*scheduler.Scheduler).round > (*scheduler.Scheduler).failed":            "a run that fails as a whole: it writes nothing",
	"(*scheduler.Scheduler).failed > (*db.DB).Now":                            "the same",
	"(*scheduler.Scheduler).tellLogin > (*scheduler.Scheduler).countFindings": "a refused login ends a plan before it writes",

	// A cloud that changes under us: reads, and what was certainly not done is asked for again; moved_test.go has their outcome.
	"(*openstack.Cloud).attempt > (*openstack.Cloud).current":                  "an endpoint that moved",
	"(*openstack.Cloud).current > (*openstack.Cloud).reread":                   "the same",
	"(*openstack.Cloud).reread > (*gophercloud.ProviderClient).Reauthenticate": "the same",
	"(*openstack.Cloud).relocate > (*openstack.Cloud).current":                 "the same",
	"(*openstack.Cloud).relocate > (*openstack.Cloud).reread":                  "the same",
	"(*openstack.Cloud).verifyAdmin > (*openstack.Cloud).rereadAdmin":          "the same",
	"(*openstack.Cloud).attempt > (*openstack.Cloud).negotiateAgain":           "an API node that is older than the others",
	"(*openstack.Cloud).attempt > (*openstack.Cloud).lower":                    "the same",
	"(*openstack.Cloud).negotiateAgain > (*openstack.Cloud).send":              "the same",
	"(*openstack.Cloud).lower > (*openstack.Cloud).send":                       "the same",

	"(*openstack.Cloud).byID > (*openstack.Cloud).requireAdmin":        "a token made before we got the role",
	"(*openstack.Cloud).Server > (*openstack.Cloud).byID":              "the same",
	"(*openstack.Cloud).AnyVolume > (*openstack.Cloud).byID":           "the same",
	"(*openstack.Cloud).AnyBackup > (*openstack.Cloud).byID":           "the same",
	"(*openstack.Cloud).ProjectGone > (*openstack.Cloud).byID":         "the same",
	"(*openstack.Cloud).Server > (*openstack.Cloud).do":                "a server that lists hide; a read, as that of a volume, which is crossed",
	"(*openstack.Cloud).CreateBackup > (*openstack.Cloud).createAs #2": "a text that Cinder refuses; the same request as the first, which is crossed",

	"(*db.Claim).CinderClock > (*pgx/pgxpool.Pool).Exec #2": "a wrong clock of Cinder's: one row about nothing else",

	// A purged project, and a removed backup that is there again: internal/e2e/purge_test.go has their outcome.
	"(*scheduler.Scheduler).closePurged > (*db.Beat).Unseen":              "a project that went together with its backups",
	"(*db.Beat).Unseen > (*pgx/pgxpool.Pool).Query":                       "the same",
	"(*scheduler.Scheduler).closePurged > (*openstack.Cloud).AnyBackup":   "the same",
	"(*openstack.Cloud).AnyBackup > (*openstack.Cloud).readBackup":        "the same",
	"(*scheduler.Scheduler).closePurged > (*openstack.Cloud).VerifyAdmin": "the same",
	"(*scheduler.Scheduler).closePurged > (*db.Beat).ClosePurged":         "the same",
	"(*db.Beat).ClosePurged > (*db.Beat).bulk":                            "the same",
	"(*scheduler.Scheduler).sight > (*scheduler.Scheduler).purged":        "the same",
	"(*scheduler.Scheduler).reappeared > (*openstack.Cloud).Backup":       "a removed backup that Cinder has again breaks the laws by itself",
	"(*scheduler.Scheduler).reappeared > (*db.Beat).Reappeared":           "the same",
	"(*db.Beat).Reappeared > (*db.Beat).bulk":                             "the same",

	"(*db.Beat).WithRecords > (*pgx/pgxpool.Pool).Query":     "a volume that was never protected and goes: nothing is lost with it",
	"(*scheduler.Scheduler).keep > (*db.Beat).ForgetVolumes": "the same",
	"(*db.Beat).ForgetVolumes > (*db.Beat).reigning":         "the same",
	"(*db.Beat).ForgetVolumes > (pgx.Tx).Exec":               "the same",

	"(*worker.Reporter).receivers > (*worker.Reporter).notMade":  "a Keystone that is away while a report is made: it is made again",
	"(*worker.Reporter).notMade > (*db.ReportClaim).NotMade":     "the same",
	"(*db.ReportClaim).NotMade > (*db.ReportClaim).holding":      "the same",
	"(*db.ReportClaim).NotMade > (pgx.Tx).Exec":                  "the same",
	"(*worker.Reporter).project > (*db.ReportClaim).ProjectName": "receivers by a domain; the story's come of Keystone",

	"(*scheduler.Scheduler).Sweep > (*scheduler.Scheduler).doubt":         "a cloud that lost many backups, and orphans, break the laws by themselves",
	"(*scheduler.Scheduler).compare > (*scheduler.Scheduler).found":       "the same",
	"(*scheduler.Scheduler).Sweep > (*scheduler.Scheduler).found":         "the same",
	"(*scheduler.Scheduler).found > (*db.Beat).FoundBySweep":              "the same",
	"(*scheduler.Scheduler).doubt > (*scheduler.Scheduler).found":         "the same",
	"(*scheduler.Scheduler).doubt > (*scheduler.Scheduler).countFindings": "the same",
	"(*scheduler.Scheduler).doubt > (*db.Beat).Done":                      "the same",
	"(*db.Beat).FoundBySweep > (*db.Beat).found":                          "the same",
}

// crossed demands that the story makes every call to the outside that the processes can make: a call that is added
// without work that leads to it is found here.
func (s *crashSuite) crossed(t *testing.T) {
	t.Helper()
	g := readCallGraph(t)
	reaching, living := g.reaching(), g.living()
	known := map[string]bool{}
	n, times := 0, map[string]int{}
	for _, site := range g.sites {
		if !living[site.in] || !reaching[site.callee] {
			continue
		}
		n++
		short := strings.NewReplacer("staffeln/", "", "github.com/jackc/pgx/v5", "pgx", "github.com/gophercloud/gophercloud/v2", "gophercloud", "github.com/hibiken/", "").Replace
		key := short(site.in) + " > " + short(site.callee)
		times[key]++
		if times[key] > 1 {
			key += fmt.Sprintf(" #%d", times[key])
		}
		known[key] = true
		if _, excused := uncrossed[key]; !excused && !s.isCrossed(site) {
			t.Errorf("nobody can die where the story never comes to: lead it there (crash_days_test.go), or excuse %q: %s", key, short(site.String()))
		}
	}
	for key := range uncrossed {
		if !known[key] {
			t.Errorf("there is no such call any more, take it from the list: %s", key)
		}
	}
	t.Logf("%d call sites lead to the outside", n)
}

func (s *crashSuite) isCrossed(site callSite) bool {
	for line := site.first; line <= site.last; line++ {
		if s.lines[site.room+"/"+site.file+":"+strconv.Itoa(line)] {
			return true
		}
	}
	return false
}

// reaching are the functions that call something outside, before they return.
func (g *callGraph) reaching() map[string]bool {
	all := map[string]bool{}
	for callee := range g.outside {
		all[callee] = true
	}
	for grown := true; grown; {
		grown = false
		for _, site := range g.sites {
			if all[site.callee] && !all[site.in] {
				all[site.in], grown = true, true
			}
		}
	}
	return all
}

// living are the functions that the processes can come to.
func (g *callGraph) living() map[string]bool {
	all := map[string]bool{}
	todo := append([]string{}, siteRoots...)
	for len(todo) > 0 {
		name := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if all[name] {
			continue
		}
		all[name] = true
		todo = append(todo, g.refers[name]...)
	}
	return all
}
