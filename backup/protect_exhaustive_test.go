package backup

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// A serverView is how the cloud shows one server: in its list, by ID, or not at all.
type serverView struct {
	name                        string
	listed, byID, gone, partial bool
	requests                    bool
	status                      string
}

var serverViews = []serverView{
	{name: "listed, asks", listed: true, requests: true},
	{name: "listed, declines", listed: true},
	{name: "listed in part", listed: true, partial: true},
	{name: "listed in part, asks by ID", listed: true, partial: true, byID: true, requests: true},
	{name: "by ID, asks", byID: true, requests: true},
	{name: "by ID, declines", byID: true},
	{name: "by ID in part", byID: true, partial: true},
	{name: "soft-deleted, asks", byID: true, requests: true, status: ServerSoftDeleted},
	{name: "soft-deleted, declines", byID: true, status: ServerSoftDeleted},
	{name: "404", gone: true},
	{name: "no response"},
}

// whole reports whether the server's metadata is known.
func (k serverView) whole() bool {
	return k.listed && !k.partial || k.byID && (k.listed || !k.partial)
}

// show adds the server where the cloud shows it.
func (k serverView) show(id string, holds bool, inv *Inventory, a *CloudResponses) {
	s := Server{ID: id, Metadata: map[string]string{"back-up": fmt.Sprint(k.requests)}, Status: k.status}
	if holds {
		s.Volumes = []string{"v"}
	}
	if k.listed {
		one := s
		if one.Partial = k.partial; one.Partial {
			one.Metadata = nil
		}
		inv.Servers = append(inv.Servers, one)
	}
	if k.byID {
		s.Partial = k.partial && !k.listed
		a.Servers[id] = s
	}
	if k.gone {
		a.GoneServers[id] = true
	}
}

// holds reports whether Nova shows v as attached and the server's data is complete.
func (k serverView) holds(nova bool) bool { return nova && k.whole() }

var restless = []string{"reserved", "detaching", "maintenance", "backing-up"}

// Every combination in which Cinder and Nova can show a volume of up to two servers: protection ends only by positive
// evidence, and begins only by a server that requests it.
func TestProtectNeedsPositiveEvidence(t *testing.T) {
	booleans := []bool{false, true}
	statuses := append([]string{"available", "in-use", "error", "awaiting-transfer"}, restless...)
	seen := map[string]int{}
	for _, k1 := range serverViews {
		for _, k2 := range serverViews {
			for _, nova := range []string{"", "1", "2", "12"} {
				for _, cinder := range [][]string{nil, {"s1"}, {"s2"}, {"s1", "s2"}} {
					for _, status := range statuses {
						for _, migration := range []string{"", "migrating"} {
							for _, b := range []Before{{}, {Protected: true, ServerID: "s1"}, {Protected: true, ServerID: "s1", Detached: 1}, {Protected: true, ServerID: "s2"}} {
								for _, unconfirmed := range booleans {
									one := situation{[2]serverView{k1, k2}, [2]bool{nova == "1" || nova == "12", nova == "2" || nova == "12"}, cinder, status, migration, b, unconfirmed}
									seen[one.check(t)]++
								}
							}
						}
					}
				}
			}
		}
	}
	for _, outcome := range []string{"protected", "unknown", "nothing", string(EndMetadata), string(EndDetached), string(EndServerDeleted)} {
		require.NotZero(t, seen[outcome], outcome)
	}
}

type situation struct {
	servers     [2]serverView
	nova        [2]bool
	cinder      []string
	status      string
	migration   string
	before      Before
	unconfirmed bool
}

// check runs Protect for the situation and checks the result against the rules.
func (s situation) check(t *testing.T) string {
	v := Volume{ID: "v", Servers: s.cinder, Status: s.status, Migration: s.migration}
	inv := Inventory{Volumes: []Volume{v}}
	responses := CloudResponses{Servers: map[string]Server{}, GoneServers: map[string]bool{}, Unconfirmed: s.unconfirmed}
	requests, protector := false, 0
	holder := [2]bool{}
	for i, k := range s.servers {
		id := fmt.Sprintf("s%d", i+1)
		k.show(id, s.nova[i], &inv, &responses)
		holder[i] = slices.Contains(s.cinder, id) || k.holds(s.nova[i])
		requests = requests || holder[i] && k.whole() && k.requests
		if id == s.before.ServerID {
			protector = i
		}
	}
	view := Protect(inv, Keys{Backup: "back-up"}, func(Volume) Before { return s.before }, responses)
	k, held := s.servers[protector], holder[protector]
	outcome := "nothing"
	broken := func(rule string) { t.Fatalf("%s: %+v: %+v", rule, s, view) }
	if len(view.Protected) > 0 != requests {
		broken("protected when, and only when, a server that holds it asks")
	}
	switch end, ended := view.Ended["v"]; {
	case ended:
		outcome = string(end)
		if !s.before.Protected || requests {
			broken("only what was protected, and is not, ends")
		}
		switch {
		case end == EndMetadata && held && k.whole() && !k.requests:
		case end == EndServerDeleted && k.gone && !s.unconfirmed:
		case end == EndDetached && !held && k.whole() && s.before.Detached == 1 && !s.unconfirmed && s.migration == "" && s.stable():
		default:
			broken("no positive evidence ends it")
		}
	case requests:
		outcome = "protected"
	case len(view.Unknown) > 0:
		outcome = "unknown"
	case s.before.Protected:
		broken("protection that nobody asks for either ends or is unknown")
	}
	if view.Detached["v"] > 0 && outcome != "unknown" {
		broken("only what is unknown is counted as detached")
	}
	return outcome
}

// stable reports whether the volume's status is stable.
func (s situation) stable() bool {
	return !slices.Contains(restless, s.status) && (s.status != "in-use" || len(s.cinder) > 0)
}
