package web

import (
	"context"

	"github.com/labstack/echo/v4"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/view"
)

// first is how many entries of each kind the overview shows.
const first = 10

var ofStatus = []parameter{{name: "limit", desc: "how many volumes, failures and findings to list at most, 1 to 1000", kind: "integer", fallback: "100"}}

// StatusPage is the overview: the protection, what ended, runs and needs attention, and what was stored by day.
type StatusPage struct {
	view.Status

	Stored []view.StoredDay `json:"stored_days" desc:"what was stored at the end of each day of the last month, the oldest first; the days before the first restore point are missing"`
}

func (w *Handler) status(ctx context.Context, a access, _ string, given map[string]string) (any, error) {
	n, err := rows(given["limit"])
	if err != nil {
		return nil, err
	}
	return w.statusOf(ctx, a, n)
}

func (w *Handler) statusOf(ctx context.Context, a access, limit int) (s StatusPage, err error) {
	err = w.read(ctx, func(ctx context.Context, l *db.Snapshot) (err error) {
		r := w.reader(a)
		r.First = limit
		if s.Status, err = r.Status(ctx, l, []backup.Protection{backup.Late, backup.Waiting}); err != nil {
			return err
		}
		s.Stored, err = r.StoredDays(ctx, l)
		return err
	})
	return s, err
}

// overview shows how many volumes have which protection, what ended and what runs, and what needs attention.
func (w *Handler) overview(c echo.Context, a access) error {
	if _, err := read(c.Request().URL.RawQuery, nil); err != nil {
		return err
	}
	s, err := w.statusOf(c.Request().Context(), a, first)
	if err != nil {
		return err
	}
	running := len(s.InProgress)
	s.InProgress = s.InProgress[:min(first, running)]
	return w.render(c, 200, "overview", pageData{Title: "Overview", Now: s.At, Who: &a, Body: map[string]any{
		"Protections": backup.Protections, "S": s, "More": s.Volumes.Late + s.Volumes.Waiting - len(s.Listed), "MoreRunning": running - len(s.InProgress),
		"Attempts": []period{{"Last 24 hours", s.Day}, {"Last 30 days", s.Month}},
		"Plots": []plot{
			{"Storage", "GiB", view.PlotOf(s.At, s.Stored, "GiB", func(d view.StoredDay) int { return d.GiB })},
			{"Restore points", "", view.PlotOf(s.At, s.Stored, "restore points", func(d view.StoredDay) int { return d.Points })},
		},
	}})
}

// A period is the outcomes of some time, with its name.
type period struct {
	Name string
	view.Outcomes
}

// A plot is one of the small plots, with its heading.
type plot struct {
	Name, Unit string
	*view.Plot
}
