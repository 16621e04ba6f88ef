package view

import (
	"context"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// A holding is what is read of a volume's links, and what of them goes and stays: all of them, or as many as tell of the
// chains that are wanted, and of what goes first, what all would tell.
type holding struct {
	backup.RetentionInput

	going  []backup.Expiring
	kept   []backup.Kept
	count  int // of all links
	points int // of all restore points
}

// held reads what is wanted. Where it is a part, a part is read: the chains that are listed, those that the floor is in,
// and so many of the oldest ones that what goes first is among them.
func (r Reader) held(ctx context.Context, l *db.Snapshot, v db.Volume, wanted Stretch) (holding, error) {
	var extents []db.Extent
	span := db.Span{Newest: wanted.Links, Floor: r.Settings.MinRestorePoints}
	if wanted.Before != nil {
		span.Before = &db.Place{At: wanted.Before.DataTime, ID: wanted.Before.BackupID}
	}
	if wanted.Links > 0 {
		var err error
		if extents, err = l.Extents(ctx, v.ID, r.Project); err != nil {
			return holding{}, err
		}
		for _, times := range []int{4, 32} { // chains may be long, and what is older need not go first
			span.Oldest = times * wanted.Links
			records, known, err := l.HeldWithin(ctx, v.ID, extents, span)
			if err != nil {
				return holding{}, err
			}
			h := r.holding(ctx, v, records, l.Now)
			if h.tells(extents, known, wanted.Links) {
				return h, ctx.Err()
			}
		}
	}
	records, err := l.HeldOf(ctx, v.ID, r.Project)
	if err != nil {
		return holding{}, err
	}
	return r.holding(ctx, v, records, l.Now), ctx.Err()
}

func (r Reader) holding(ctx context.Context, v db.Volume, records []backup.Record, now time.Time) holding {
	h := RetentionInputOf(r.Settings, v, records)
	h.Done = ctx.Done()
	return all(h, now)
}

// all is a holding of which nothing is missing.
func all(h backup.RetentionInput, now time.Time) holding {
	v := holding{RetentionInput: h}
	v.going, v.kept = h.Forecast(now, EndOfTime)
	for _, links := range h.Links() {
		v.count += len(links)
	}
	v.points = v.pointsHeld()
	return v
}

// tells reports whether the first n that go are known: no link that is missing can go earlier. It takes over how many there are.
func (h *holding) tells(extents []db.Extent, known map[string]time.Time, n int) bool {
	h.count, h.points = 0, 0
	for _, e := range extents {
		h.count, h.points = h.count+e.Links, h.points+e.Points
		from, missing := known[e.ProjectID]
		if !missing {
			continue
		}
		at, goes := h.Earliest(e.ProjectID, from, e.Retentions)
		if goes && !at.After(EndOfTime) && (len(h.going) < n || !h.going[n-1].At.Before(at)) {
			return false
		}
	}
	return true
}

func (h *holding) pointsHeld() (n int) {
	for _, r := range h.Records {
		if r.State == backup.Available && r.BackupID != "" && backup.Status(r.CinderStatus) != backup.StatusError {
			n++
		}
	}
	return n
}

// lastPoint is what [LastPoint] says with all links: where restore points are missing here, they go later, or stay.
func (h *holding) lastPoint() int {
	if h.pointsHeld() < h.points {
		return -1
	}
	return LastPoint(h.going, h.kept)
}
