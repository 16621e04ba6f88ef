package view

import (
	"context"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// A linkForecast is what was read of a volume's links, and which of them expire or are kept. It has all links, or as many as
// the selected chains and the first expiring backups need to be the same as with all links.
type linkForecast struct {
	backup.RetentionInput

	expiring []backup.Expiring
	kept     []backup.Kept
	count    int // of all links
	points   int // of all restore points
}

// held reads the selected links. For a part of the chains it reads only the listed chains, those of the restore point
// floor, and enough of the oldest ones to include what expires first.
func (r Reader) held(ctx context.Context, l *db.Snapshot, v db.Volume, wanted Stretch) (linkForecast, error) {
	paused, err := l.Pauses(ctx)
	if err != nil {
		return linkForecast{}, err
	}
	var extents []db.Extent
	span := db.Span{Newest: wanted.Links, Floor: r.Settings.MinRestorePoints}
	if wanted.Before != nil {
		span.Before = &db.Cursor{At: wanted.Before.DataTime, ID: wanted.Before.BackupID}
	}
	if wanted.Links > 0 {
		if extents, err = l.Extents(ctx, v.ID, r.Project); err != nil {
			return linkForecast{}, err
		}
		for _, times := range []int{4, 32} { // chains may be long, and the oldest need not expire first
			span.Oldest = times * wanted.Links
			records, known, err := l.HeldWithin(ctx, v.ID, extents, span)
			if err != nil {
				return linkForecast{}, err
			}
			h := r.linkForecast(ctx, v, records, paused, l.Now)
			if h.certain(extents, known, wanted.Links) {
				return h, ctx.Err()
			}
		}
	}
	records, err := l.HeldOf(ctx, v.ID, r.Project)
	if err != nil {
		return linkForecast{}, err
	}
	return r.linkForecast(ctx, v, records, paused, l.Now), ctx.Err()
}

func (r Reader) linkForecast(ctx context.Context, v db.Volume, records []backup.Record, paused db.Pauses, now time.Time) linkForecast {
	h := RetentionInputOf(r.Settings, v, records, paused)
	h.Done = ctx.Done()
	return fullForecast(h, now)
}

// fullForecast returns a linkForecast with all links.
func fullForecast(h backup.RetentionInput, now time.Time) linkForecast {
	v := linkForecast{RetentionInput: h}
	v.expiring, v.kept = h.Forecast(now, EndOfTime)
	for _, links := range h.Links() {
		v.count += len(links)
	}
	v.points = v.pointsHeld()
	return v
}

// certain reports whether the first n expiring backups are certain: no missing link can expire earlier. It also sets the counts.
func (h *linkForecast) certain(extents []db.Extent, known map[string]time.Time, n int) bool {
	h.count, h.points = 0, 0
	for _, e := range extents {
		h.count, h.points = h.count+e.Links, h.points+e.Points
		from, missing := known[e.ProjectID]
		if !missing {
			continue
		}
		at, expires := h.Earliest(e.ProjectID, from, e.Retentions)
		if expires && !at.After(EndOfTime) && (len(h.expiring) < n || !h.expiring[n-1].At.Before(at)) {
			return false
		}
	}
	return true
}

func (h *linkForecast) pointsHeld() (n int) {
	for _, r := range h.Records {
		if r.State == backup.Available && r.BackupID != "" && backup.Status(r.CinderStatus) != backup.StatusError {
			n++
		}
	}
	return n
}

// lastPoint returns what [LastPoint] returns with all links: restore points that are missing here expire later, or are kept.
func (h *linkForecast) lastPoint() int {
	if h.pointsHeld() < h.points {
		return -1
	}
	return LastPoint(h.expiring, h.kept)
}
