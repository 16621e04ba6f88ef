package scheduler

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"staffeln/backup"
	"staffeln/db"
)

// The limits of what one plan asks by ID. The rest stays unknown until a later
// plan.
const (
	suspectsPerPlan = 300
	suspectsAtOnce  = 8
	suspectFailures = 20 // then the service is down, and the rest is not asked
	suspectsTime    = 2 * time.Minute
)

// If more than this many protected volumes are missing at once, and more than one in
// so many, they are not taken as gone: more likely our view of the cloud is broken.
const (
	plausibleAbsences     = 10
	plausibleAbsenceShare = 10
)

// observation is one observation of the cloud: the lists, the answers to requests by
// ID, and the view that results from both.
type observation struct {
	inv     backup.Inventory
	answers backup.Answers
	view    backup.View
	// missing is how many protected volumes, or the servers of how many, the lists lack.
	// openServers and openVolumes are how many suspects got no answer.
	missing, openServers, openVolumes int
	tooManyMissing                    bool
	purged                            map[string]bool // projects that Keystone no longer knows
	// former is, by volume that moved, the retention of the restore points that its new project already owns.
	former map[string]backup.Period
	// forgotten are unlisted volumes that nobody needs.
	forgotten []string
}

// open reports whether there are suspects without an answer.
func (s *observation) open() bool { return s.openServers+s.openVolumes > 0 }

// observe reads by ID what the lists lack, and judges all of it.
// with returns which of the given volumes have records.
func (s *Scheduler) observe(ctx context.Context, inv backup.Inventory, known map[string]db.Volume, accepted bool, with func([]string) (map[string]bool, error)) (*observation, error) {
	seen := &observation{inv: inv, answers: backup.Answers{
		Servers: map[string]backup.Server{}, Volumes: map[string]backup.Volume{}, GoneServers: map[string]bool{}, GoneVolumes: map[string]bool{},
	}}
	judge := func() {
		seen.view = backup.Protect(seen.inv, s.Settings.Keys(), func(v backup.Volume) backup.Before { return before(known[v.ID], v) }, seen.answers)
	}
	unlisted := unlisted(inv, known)
	suspects, never, err := suspectVolumes(unlisted, known, with)
	if err != nil {
		return seen, err
	}
	const most = suspectsPerPlan / 2
	seen.openVolumes = inquire(ctx, s, suspects, most, s.Cloud.AnyVolume, seen.answers.Volumes, seen.answers.GoneVolumes)
	judge()
	if !inv.Missed("roles") {
		seen.openServers = inquire(ctx, s, seen.view.Suspects, suspectsPerPlan-min(len(suspects), most), s.Cloud.Server, seen.answers.Servers, seen.answers.GoneServers)
	}
	if len(seen.answers.GoneServers)+len(seen.answers.GoneVolumes) > 0 {
		if err := s.Cloud.VerifyAdmin(ctx); err != nil { // a user who lost the admin role gets 404 for everything
			s.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, "admin", "").Err(err).Msg("admin role not verified, absences not concluded")
			seen.openServers += len(seen.answers.GoneServers)
			seen.openVolumes += len(seen.answers.GoneVolumes)
			clear(seen.answers.GoneServers)
			clear(seen.answers.GoneVolumes)
		} else {
			s.conditions.Over(zerolog.Ctx(ctx), "admin").Msg("admin role verified again")
		}
	}
	judge()
	seen.purged = s.purged(ctx, missedProjects(inv, unlisted, known))
	seen.judgeMissing(unlisted, known)
	if seen.tooManyMissing && !accepted {
		seen.answers.Unconfirmed = true
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

// unlisted returns the known volumes that a complete list lacks. It returns none if the
// list could not be read completely.
func unlisted(inv backup.Inventory, known map[string]db.Volume) []string {
	if inv.Missed("volumes") || inv.Missed("roles") {
		return nil
	}
	listed := make(map[string]bool, len(inv.Volumes))
	for _, v := range inv.Volumes {
		listed[v.ID] = true
	}
	var lacks []string
	for id, v := range known {
		if v.GoneAt == nil && !listed[id] {
			lacks = append(lacks, id)
		}
	}
	slices.Sort(lacks)
	return lacks
}

// suspectVolumes returns as suspects those that are or were protected, or have records,
// the protected ones first. never are the others: nobody needs them.
func suspectVolumes(unlisted []string, known map[string]db.Volume, with func([]string) (map[string]bool, error)) (suspects, never []string, err error) {
	for _, id := range unlisted {
		if known[id].Retention.InForce.IsZero() {
			never = append(never, id)
		} else {
			suspects = append(suspects, id)
		}
	}
	held, err := with(never)
	if err != nil {
		return nil, nil, err
	}
	never = slices.DeleteFunc(never, func(id string) bool {
		if held[id] {
			suspects = append(suspects, id)
		}
		return held[id]
	})
	slices.SortStableFunc(suspects, func(a, b string) int { return cmp.Compare(rank(known[a]), rank(known[b])) })
	return suspects, never, nil
}

func rank(v db.Volume) int {
	if v.Protected {
		return 0
	}
	return 1
}

// inquire asks by ID about at most that many suspects, the least recently asked
// first. It returns how many got no answer.
func inquire[T any](ctx context.Context, s *Scheduler, ids []string, most int, ask func(context.Context, string) (T, error), found map[string]T, gone map[string]bool) (open int) {
	log, condition, failures := zerolog.Ctx(ctx), fmt.Sprintf("suspects %T", found), 0
	askEach(ctx, s, ids, most, ask, found, gone, func(id string, err error) {
		failures++
		if failures == 1 {
			s.conditions.Met(log, zerolog.WarnLevel, condition, "").Err(err).Str("id", id).Msg("suspected absence not checked, will be tried again")
		}
	})
	if failures == 0 && len(ids) > 0 {
		s.conditions.Over(log, condition).Msg("suspected absences checked again")
	}
	return len(ids) - len(found) - len(gone)
}

// askEach asks about at most that many IDs, the least recently asked first, and
// gives up if the service is down.
func askEach[T any](ctx context.Context, s *Scheduler, ids []string, most int, ask func(context.Context, string) (T, error),
	found map[string]T, gone map[string]bool, failed func(id string, err error),
) {
	if len(ids) == 0 {
		return
	}
	ids = s.leastRecentlyAsked(ids)
	ctx, cancel := context.WithTimeout(ctx, suspectsTime)
	defer cancel()
	var mu sync.Mutex
	failures := 0
	var group errgroup.Group
	group.SetLimit(suspectsAtOnce)
	if s.InTurn {
		group.SetLimit(1)
	}
	for _, id := range ids[:min(len(ids), most)] {
		mu.Lock()
		away := failures >= suspectFailures
		mu.Unlock()
		if away || ctx.Err() != nil {
			break
		}
		s.asked[id] = s.inquiries
		group.Go(func() error {
			one, err := ask(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				found[id] = one
			case backup.Means(err, backup.MeansNotFound):
				gone[id] = true
			default:
				failures++
				failed(id, err)
			}
			return nil
		})
	}
	_ = group.Wait()
}

// leastRecentlyAsked orders IDs by when they were last asked about. Now and then it forgets
// the IDs of earlier plans.
func (s *Scheduler) leastRecentlyAsked(ids []string) []string {
	s.inquiries++
	if s.asked == nil || len(s.asked) > 100*suspectsPerPlan {
		s.asked = map[string]int{}
	}
	ids = slices.Clone(ids)
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(s.asked[a], s.asked[b]) })
	return ids
}

// moved returns the volumes that are in another project than the newest plan saw,
// and those projects.
func (s *observation) moved(known map[string]db.Volume) (ids, projects []string) {
	for _, v := range s.inv.Volumes {
		if before, ok := known[v.ID]; ok && before.ProjectID != v.ProjectID {
			ids, projects = append(ids, v.ID), append(projects, v.ProjectID)
		}
	}
	for _, v := range s.answers.Volumes {
		if before, ok := known[v.ID]; ok && before.ProjectID != v.ProjectID {
			ids, projects = append(ids, v.ID), append(projects, v.ProjectID)
		}
	}
	return ids, projects
}

// missedProjects returns the projects of unlisted protected volumes that Keystone
// does not list either.
func missedProjects(inv backup.Inventory, unlisted []string, known map[string]db.Volume) (ids []string) {
	listed := map[string]bool{}
	for _, p := range inv.Projects {
		listed[p.ID] = true
	}
	for _, id := range unlisted {
		if project := known[id].ProjectID; known[id].Protected && !listed[project] && !inv.Missed("projects") {
			listed[project] = true // only once
			ids = append(ids, project)
		}
	}
	return ids
}

// judgeMissing sets tooManyMissing if more is missing than is plausible. An empty list is not plausible
// if anything that it should show may still exist.
func (s *observation) judgeMissing(unlisted []string, known map[string]db.Volume) {
	protected, alive := 0, s.openVolumes+len(s.answers.Volumes)
	for _, v := range known {
		if v.Protected && v.GoneAt == nil {
			protected++
		}
	}
	s.missing = s.view.Missing
	for _, id := range unlisted {
		if known[id].Protected && !s.purged[known[id].ProjectID] { // a volume that is missing together with its project is explained
			s.missing++
		}
	}
	empty := len(s.inv.Volumes) == 0 && alive > 0
	if len(s.inv.Servers) == 0 && s.view.Missing > 0 {
		empty = empty || s.openServers > 0
		for _, one := range s.answers.Servers {
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
