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
	// Why a planned record waits is only shown, and the next dispatch run writes it again.
	"(*db.Run).Admit > db.recordHeld":                      "only shown; the next dispatch run writes it again",
	"db.recordHeld > (pgx.Tx).Exec":                        "the same",
	"db.recordHeld > (pgx.Tx).Exec #2":                     "the same",
	"(*worker.pass).remove > (*worker.pass).recordForeign": "the reconcile run marks foreign dependents first; the mark is only shown, and the next removal writes it again",
	"(*worker.pass).recordForeign > (*db.Lease).Hold":      "the same",
	"(*db.Lease).Hold > (*db.Lease).move":                  "the same",

	// A run that an operator asked for: the request remains open, and the run is repeated.
	"(*scheduler.Scheduler).round > (*db.Run).BeginRequest": "no operator asks in the scenario",
	"(*db.Run).BeginRequest > (*pgx/pgxpool.Pool).Exec":     "the same",
	"(*scheduler.Scheduler).round > (*db.Run).EndRequest":   "the same",
	"(*db.Run).EndRequest > (*pgx/pgxpool.Pool).Exec":       "the same",

	// A new leader's metrics: reads, in a goroutine.
	"(*scheduler.Scheduler).exposeVolumes > (*db.Run).Pauses":           "before the first plan there are no volumes to count",
	"(*scheduler.Scheduler).exposeVolumes > (*db.Run).ProtectionCounts": "the same",
	"(*db.Run).ProtectionCounts > db.protectionCounts":                  "the same",
	"db.protectionCounts > (db.queries).Query":                          "the same",

	"(*db.Lease).move > (*db.Lease).whyUnchanged": "after another handler's win only",
	"(*db.Lease).whyUnchanged > db.pauses":        "the same",

	"(*db.Run).ForgetFailures > (*db.Run).forget": "no volume of the scenario fails more often than is remembered; Forget makes the same call",

	"(*openstack.Cloud).do > (*openstack.scope).renewBeforeExpiry":                        "a token near its end by the process's own clock, which does not leap; requesting a token is crossed at the start",
	"(*openstack.scope).renewBeforeExpiry > (*gophercloud.ProviderClient).Reauthenticate": "the same",
	"(*openstack.Cloud).send > (*gophercloud.ProviderClient).Request #2":                  "the token was renewed by another request",
	"(*openstack.Cloud).eachBackup > (*openstack.Cloud).requireAdmin":                     "a token made before we got the role: a new token is requested, as at the start",
	"(*openstack.Cloud).Observe > (*openstack.Cloud).requireAdmin":                        "the same",
	"(*openstack.Cloud).verifyAdmin > (*openstack.Cloud).requireAdmin":                    "the same",
	"(*openstack.Cloud).byID > (*openstack.Cloud).requireAdmin":                           "the same",
	"(*openstack.Cloud).requireAdmin > (*openstack.scope).renew":                          "the same",
	"(*openstack.Cloud).Server > (*openstack.Cloud).byID":                                 "the same: it makes no other external call",
	"(*openstack.Cloud).AnyVolume > (*openstack.Cloud).byID":                              "the same",
	"(*openstack.Cloud).AnyBackup > (*openstack.Cloud).byID":                              "the same",
	"(*openstack.Cloud).ProjectGone > (*openstack.Cloud).byID":                            "the same",

	"(*openstack.Cloud).requireSecretRight > (*openstack.Cloud).explainRefusal": "a role that is lost between two tokens of one removal; scope > explainRefusal makes the same calls",

	"(*tasks.dispatch).enqueueAs > (*asynq.Inspector).GetTaskInfo #2": "a task taken between read and deletion; the other read is crossed",

	"(*worker.pass).delete > (*db.Lease).Removed": "a backup that disappears between the two requests of one deletion; one that disappears before the first is crossed, and ends in the same write",

	"(*scheduler.Scheduler).runTerm > (*db.Leadership).Keep":      "a goroutine beside the runs",
	"(*scheduler.Scheduler).Run > (*scheduler.Scheduler).runTerm": "its loops are goroutines",

	"(*scheduler.Scheduler).recordLogin > (*scheduler.Scheduler).countFindings": "a refused login: nobody plans for half a minute of the process's own clock, which does not leap; the count is a read",

	"(*scheduler.Scheduler).missingSecrets > (*scheduler.Scheduler).findSecrets": "its requests are goroutines",
	"(*openstack.Cloud).Secrets > (*openstack.Cloud).barbicanRequest":            "a project's first token; others take theirs before a reconcile run",
	"(*openstack.Cloud).Secret > (*openstack.Cloud).barbicanRequest":             "the same",
	"(*openstack.Cloud).barbicanRequest > (*openstack.Cloud).syncEndpoints":      "an endpoint that moved",

	// A cloud that changes during a run: reads, and requests that were certainly not executed, are repeated. moved_test.go tests
	// the outcome.
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
const unreachedCalls = 49

// requireReached asserts that the scenario reaches every external call that the processes can make. It fails for a new call
// that no work of the scenario leads to.
func (s *crashSuite) requireReached(t *testing.T) {
	t.Helper()
	require.Len(t, unreached, unreachedCalls, "make the scenario reach the new calls (days_test.go, situations_test.go) rather than excuse them")
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
			t.Errorf("the scenario never reaches this call: make it do so (days_test.go, situations_test.go), or excuse %q: %s", key, short(site.String()))
		}
	}
	for key := range unreached {
		if !known[key] {
			t.Errorf("there is no such call any more, remove it from the list: %s", key)
		}
	}
	t.Logf("%d call sites make external calls", n)
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
