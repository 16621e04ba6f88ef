package crash

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// unreached are the calls that the scenario does not reach, each with the reason. The key is the calling function and the
// called one; "#2" is the second such call in the function.
var unreached = map[string]string{
	"(*db.Lease).move > (*db.Lease).whyUnchanged": "after another handler's win only",
	"(*db.Lease).whyUnchanged > db.pauses":        "the same",

	"(*db.Run).ForgetFailures > (*db.Run).forget": "no volume of the scenario fails more often than is remembered; Forget makes the same call",

	"(*openstack.Cloud).do > (*openstack.scope).renewBeforeExpiry":                        "a token near its end by the process's own clock, which does not leap; asking for one is crossed at the start",
	"(*openstack.scope).renewBeforeExpiry > (*gophercloud.ProviderClient).Reauthenticate": "the same",
	"(*openstack.Cloud).send > (*gophercloud.ProviderClient).Request #2":                  "a request in whose place another one renewed the token",
	"(*openstack.Cloud).eachBackup > (*openstack.Cloud).requireAdmin":                     "a token made before we got the role: it is asked for anew, as at the start",
	"(*openstack.Cloud).Observe > (*openstack.Cloud).requireAdmin":                        "the same",
	"(*openstack.Cloud).verifyAdmin > (*openstack.Cloud).requireAdmin":                    "the same",
	"(*openstack.Cloud).byID > (*openstack.Cloud).requireAdmin":                           "the same",
	"(*openstack.Cloud).requireAdmin > (*openstack.scope).renew":                          "the same",
	"(*openstack.Cloud).Server > (*openstack.Cloud).byID":                                 "the same: nothing else in it leads to the outside",
	"(*openstack.Cloud).AnyVolume > (*openstack.Cloud).byID":                              "the same",
	"(*openstack.Cloud).AnyBackup > (*openstack.Cloud).byID":                              "the same",
	"(*openstack.Cloud).ProjectGone > (*openstack.Cloud).byID":                            "the same",

	"(*openstack.Cloud).requireSecretRight > (*openstack.Cloud).explainRefusal": "a role that is lost between two tokens of one removal; scope > explainRefusal makes the same calls",

	"(*tasks.dispatch).enqueueAs > (*asynq.Inspector).GetTaskInfo #2": "a task taken between look and deletion; the other look is crossed",

	"(*worker.pass).delete > (*db.Lease).Removed": "a backup that goes between the two requests of one deletion; one that goes before the first is crossed, and ends in the same write",

	"(*scheduler.Scheduler).runTerm > (*db.Leadership).Keep":      "a goroutine beside the runs",
	"(*scheduler.Scheduler).Run > (*scheduler.Scheduler).runTerm": "its loops are goroutines",

	"(*scheduler.Scheduler).recordLogin > (*scheduler.Scheduler).countFindings": "a refused login: nobody plans for half a minute of the process's own clock, which does not leap; the count is a read",

	"(*scheduler.Scheduler).missingSecrets > (*scheduler.Scheduler).lookForSecrets": "its questions are goroutines",
	"(*openstack.Cloud).Secrets > (*openstack.Cloud).barbicanRequest":               "a project's first token; others take theirs before a reconcile run",
	"(*openstack.Cloud).Secret > (*openstack.Cloud).barbicanRequest":                "the same",
	"(*openstack.Cloud).barbicanRequest > (*openstack.Cloud).syncEndpoints":         "an endpoint that moved",

	// A cloud that changes under us: reads, and what was certainly not done is asked for again; moved_test.go has their outcome.
	"(*openstack.Cloud).attempt > (*openstack.Cloud).syncEndpoints":            "an endpoint that moved",
	"(*openstack.Cloud).syncEndpoints > (*openstack.Cloud).reread":             "the same",
	"(*openstack.Cloud).reread > (*gophercloud.ProviderClient).Reauthenticate": "the same",
	"(*openstack.Cloud).relocate > (*openstack.Cloud).syncEndpoints":           "the same",
	"(*openstack.Cloud).relocate > (*openstack.Cloud).reread":                  "the same",
	"(*openstack.Cloud).verifyAdmin > (*openstack.Cloud).rereadAdmin":          "the same",
	"(*openstack.Cloud).attempt > (*openstack.Cloud).negotiateAgain":           "an API node that is older than the others",
	"(*openstack.Cloud).attempt > (*openstack.Cloud).lower":                    "the same",
	"(*openstack.Cloud).negotiateAgain > (*openstack.Cloud).send":              "the same",
	"(*openstack.Cloud).lower > (*openstack.Cloud).send":                       "the same",
}

// unreachedCalls is the number of these entries, so that nobody adds one by accident.
const unreachedCalls = 35

// requireReached asserts that the scenario reaches every external call that the processes can make. It fails for a new call
// that no work of the scenario leads to.
func (s *crashSuite) requireReached(t *testing.T) {
	t.Helper()
	require.Len(t, unreached, unreachedCalls, "lead the scenario to what is new (days_test.go, situations_test.go) rather than excuse it")
	g := readCallGraph(t)
	callsOut, reachable := g.callsOut(), g.reachable()
	known := map[string]bool{}
	n, times := 0, map[string]int{}
	for _, site := range g.sites {
		if !reachable[site.in] || !callsOut[site.callee] {
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
		why, expected := unreached[key]
		switch reached := s.isReached(site); {
		case reached && expected:
			t.Logf("crossed this time, by chance: %q: %s", key, why)
		case !reached && !expected:
			t.Errorf("the scenario never reaches this call: lead it there (days_test.go, situations_test.go), or excuse %q: %s", key, short(site.String()))
		}
	}
	for key := range unreached {
		if !known[key] {
			t.Errorf("there is no such call any more, take it from the list: %s", key)
		}
	}
	t.Logf("%d call sites lead to the outside", n)
}

func (s *crashSuite) isReached(site callSite) bool {
	for line := site.first; line <= site.last; line++ {
		if s.lines[site.pkg+"/"+site.file+":"+strconv.Itoa(line)] {
			return true
		}
	}
	return false
}

// callsOut returns the functions that make an external call before they return.
func (g *callGraph) callsOut() map[string]bool {
	all := map[string]bool{}
	for callee := range g.external {
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

// reachable returns the functions that the processes can call.
func (g *callGraph) reachable() map[string]bool {
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
