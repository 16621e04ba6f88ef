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

// The limits of what one plan asks by ID. The rest is unknown until a later
// plan.
const (
	suspectsPerPlan = 300
	suspectsAtOnce  = 8
	suspectFailures = 20 // then the service is down, and the rest is not asked
	suspectsTime    = 2 * time.Minute
)

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
// first. It returns how many got no response.
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
