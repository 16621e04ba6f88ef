package scheduler

import (
	"context"
	"fmt"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// If more than this many protected volumes are missing at once, and more than one in
// so many, they are not taken as gone: more likely our view of the cloud is broken.
const (
	plausibleAbsences     = 10
	plausibleAbsenceShare = 10
)

// observation is one observation of the cloud: the lists, the responses by ID,
// and the view that results from both.
type observation struct {
	inv       backup.Inventory
	responses backup.CloudResponses
	view      backup.View
	// missing is how many protected volumes, or the servers of how many, the lists lack.
	// openServers and openVolumes are the numbers of suspects without a response.
	missing, openServers, openVolumes int
	tooManyMissing                    bool
	deleted                           map[string]bool // projects that Keystone no longer knows
	// former is, by volume that moved, the retention of the restore points that its new project already owns.
	former map[string]backup.Period
	// forgotten are unlisted volumes that nobody needs.
	forgotten []string
}

// open reports whether there are suspects without a response.
func (s *observation) open() bool { return s.openServers+s.openVolumes > 0 }

// observe reads by ID what the lists lack, and judges all of it.
// confirmed: the operator confirmed that many objects are gone. with returns which of the given volumes have records.
func (s *Scheduler) observe(ctx context.Context, inv backup.Inventory, known map[string]db.Volume, confirmed bool, with func([]string) (map[string]bool, error)) (*observation, error) {
	seen := &observation{inv: inv, responses: backup.CloudResponses{
		Servers: map[string]backup.Server{}, Volumes: map[string]backup.Volume{}, GoneServers: map[string]bool{}, GoneVolumes: map[string]bool{},
	}}
	judge := func() {
		seen.view = backup.Protect(seen.inv, s.Settings.Keys(), func(v backup.Volume) backup.Before { return before(known[v.ID], v) }, seen.responses)
	}
	unlisted := unlisted(inv, known)
	suspects, never, err := suspectVolumes(unlisted, known, with)
	if err != nil {
		return seen, err
	}
	const most = suspectsPerPlan / 2
	seen.openVolumes = inquire(ctx, s, suspects, most, s.Cloud.AnyVolume, seen.responses.Volumes, seen.responses.GoneVolumes)
	judge()
	if !inv.Missed("roles") {
		seen.openServers = inquire(ctx, s, seen.view.Suspects, suspectsPerPlan-min(len(suspects), most), s.Cloud.Server, seen.responses.Servers, seen.responses.GoneServers)
	}
	if len(seen.responses.GoneServers)+len(seen.responses.GoneVolumes) > 0 {
		if err := s.Cloud.VerifyAdmin(ctx); err != nil { // a user who lost the admin role gets 404 for everything
			s.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, "admin", "").Err(err).Msg("admin role not verified, absences not concluded")
			seen.openServers += len(seen.responses.GoneServers)
			seen.openVolumes += len(seen.responses.GoneVolumes)
			clear(seen.responses.GoneServers)
			clear(seen.responses.GoneVolumes)
		} else {
			s.conditions.Over(zerolog.Ctx(ctx), "admin").Msg("admin role verified again")
		}
	}
	judge()
	seen.deleted = s.deletedProjects(ctx, missedProjects(inv, unlisted, known, seen.view.Protected))
	seen.judgeMissing(unlisted, known)
	if seen.tooManyMissing && !confirmed {
		seen.responses.Unconfirmed = true
		judge()
	}
	seen.forgotten = never
	return seen, nil
}

// before returns what is known of a volume in the project that owns it now.
func before(known db.Volume, v backup.Volume) backup.Before {
	if known.GoneAt != nil || known.ProjectID != v.ProjectID {
		return backup.Before{}
	}
	return backup.Before{Protected: known.Protected, ServerID: known.ServerID, Detached: known.DetachedPlans}
}

// moved returns the volumes that are in another project than the newest plan saw,
// and those projects.
func (s *observation) moved(known map[string]db.Volume) (ids, projects []string) {
	for _, v := range s.inv.Volumes {
		if before, ok := known[v.ID]; ok && before.ProjectID != v.ProjectID {
			ids, projects = append(ids, v.ID), append(projects, v.ProjectID)
		}
	}
	for _, v := range s.responses.Volumes {
		if before, ok := known[v.ID]; ok && before.ProjectID != v.ProjectID {
			ids, projects = append(ids, v.ID), append(projects, v.ProjectID)
		}
	}
	return ids, projects
}

// judgeMissing sets tooManyMissing if more is missing than is plausible. An empty list is not plausible
// if anything that it should show may still exist.
func (s *observation) judgeMissing(unlisted []string, known map[string]db.Volume) {
	protected, alive := 0, s.openVolumes+len(s.responses.Volumes)
	for _, v := range known {
		if v.Protected && v.GoneAt == nil {
			protected++
		}
	}
	s.missing = s.view.Missing
	for _, id := range unlisted {
		if known[id].Protected && !s.deleted[known[id].ProjectID] { // a volume that is missing together with its project is explained
			s.missing++
		}
	}
	empty := len(s.inv.Volumes) == 0 && alive > 0
	if len(s.inv.Servers) == 0 && s.view.Missing > 0 {
		empty = empty || s.openServers > 0
		for _, one := range s.responses.Servers {
			empty = empty || one.Status != backup.ServerSoftDeleted
		}
	}
	s.tooManyMissing = empty || s.missing > plausibleAbsences && s.missing*plausibleAbsenceShare > protected
}

// unconfirmedFinding returns the finding of a plan that can't conclude anything.
func (s *observation) unconfirmedFinding(known int) backup.Finding {
	return backup.Finding{Reason: backup.AbsencesUnconfirmed, Object: "volumes", Detail: fmt.Sprintf(
		"%d protected volumes, or the servers they are attached to, are missing in the lists of Nova and Cinder, which show %d servers and %d volumes (known: %d); "+
			"nothing is concluded from that: check Nova's cells, Cinder, and the service user's admin role; where they are gone for good: staffeln confirm-lost",
		s.missing, len(s.inv.Servers), len(s.inv.Volumes), known)}
}
