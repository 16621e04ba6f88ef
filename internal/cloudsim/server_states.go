package cloudsim

import (
	"net/http"
)

const softDeleted = "SOFT_DELETED"

// serverState is Nova's internal state behind a status.
type serverState struct {
	vm, task string
	power    int
}

var serverStates = map[string]serverState{
	"BUILD":             {"building", "scheduling", 0},
	"SHUTOFF":           {"stopped", "", 4},
	"PAUSED":            {"paused", "", 3},
	"SUSPENDED":         {"suspended", "", 4},
	"RESCUE":            {"rescued", "", 1},
	"ERROR":             {"error", "", 0},
	"SHELVED":           {"shelved", "", 4},
	"SHELVED_OFFLOADED": {"shelved_offloaded", "", 4},
	softDeleted:         {"soft-delete", "", 4},
	"RESIZE":            {"active", "resize_migrating", 1},
	"VERIFY_RESIZE":     {"resized", "", 1},
	"REVERT_RESIZE":     {"resized", "resize_reverting", 1},
	"MIGRATING":         {"active", "migrating", 1},
	"REBUILD":           {"active", "rebuilding", 1},
	"REBOOT":            {"active", "rebooting", 1},
}

func stateOf(status string) serverState {
	if s, known := serverStates[status]; known {
		return s
	}
	return serverState{"active", "", 1}
}

// Hiding is how a server in a cell that is down is hidden.
type Hiding int

const (
	notHidden Hiding = iota
	// HiddenFromLists silently leaves the server out of every list, with HTTP 200; by ID it is returned.
	HiddenFromLists
	// HiddenFails leaves the server out of lists; by ID it returns a 500.
	HiddenFails
	// HiddenPartial is Nova's behaviour since microversion 2.69. By ID, and in lists without limit, marker, order and filters, the
	// server has only its ID, project, time of creation and the status UNKNOWN. Other lists leave it out. Below 2.69 a request by
	// ID gets a 500.
	HiddenPartial
)

// partialServer returns what Nova knows about a server without its cell.
func (q *call) partialServer(s *server) map[string]any {
	return map[string]any{
		"id": s.ID, "status": "UNKNOWN", "tenant_id": s.Project, "created": s.Created.Format(novaTime), "links": q.links("servers", s.ID),
	}
}

// cellDown returns the response for a server in a cell that is down.
func (s *server) cellDown(q *call) (response, bool) {
	switch {
	case s.hiding == HiddenFails, s.hiding == HiddenPartial && q.minor < 69:
		return fault(http.StatusInternalServerError, "computeFault",
			"Unexpected API Error. Please report this at http://bugs.launchpad.net/nova/ and attach the Nova API log if possible.\n"+
				"<class 'nova.exception.NovaException'>"), true
	case s.hiding == HiddenPartial:
		return ok(map[string]any{"server": q.partialServer(s)}), true
	}
	return response{}, false
}

// showsDownCells reports whether a list includes the servers of cells that are down.
func (q *call) showsDownCells() bool {
	if q.minor < 69 {
		return false
	}
	for _, name := range q.parameters() {
		switch name {
		case "all_tenants", "project_id", "tenant_id":
		default:
			return false
		}
	}
	return true
}
