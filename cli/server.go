package cli

import (
	"context"
	"errors"
	"fmt"

	"staffeln/db"
	"staffeln/view"
)

// serverPage shows whether a server is protected.
type serverPage struct{ *view.ServerProtection }

// explainServer returns the page of a server that a plan saw.
func explainServer(ctx context.Context, l *db.Snapshot, r view.Reader, name string) (page, error) {
	s, err := r.ServerOf(ctx, l, name)
	if several := new(db.AmbiguousError); errors.As(err, several) {
		return nil, fmt.Errorf("explain server %s: %w: use the ID", name, err)
	}
	if errors.Is(err, db.ErrUnknownServer) {
		return nil, unseenError{name}
	}
	return serverPage{s}, err
}

func (p serverPage) render(w *renderer) {
	title := "Server " + p.Name()
	if p.ServerID == "" {
		title = "Volume " + p.Volumes[0].Volume()
	}
	renderHead(w, p.AsOf, title)
	w.line("")
	if p.ServerID != "" {
		w.labelled("ID", p.ServerID)
	}
	w.labelled("project", p.Project()+"  "+p.ProjectID)
	if p.Seen == view.SeenInCloud {
		w.labelled("seen", "in the cloud, just now; no plan has seen it")
	}
	colour := warning
	if p.Asks {
		colour = strong
	}
	w.labelled("protection", w.colour(colour, p.Summary))
	w.section("VOLUMES", "")
	if len(p.Volumes) == 0 {
		w.line("  None.")
	} else {
		w.table([]column{{name: "VOLUME", flex: true}, {name: "GIB", right: true}, {name: "STATUS"}, {name: "PROTECTION"}, {name: "NEWEST RESTORE POINT"}},
			view.Each(p.Volumes, func(v view.VolumeSummary) []string {
				return []string{v.Volume(), fmt.Sprint(v.SizeGiB), v.Status, string(v.Protection), view.MaybeClock(v.RestorePoint)}
			}), 0)
		for _, v := range p.Volumes {
			if v.Why != "" {
				w.paragraph("  ", v.Volume()+": "+v.Why)
			}
		}
	}
	if len(p.Protect) == 0 {
		return
	}
	w.section("HOW TO PROTECT IT", "with an account of its project; from the next plan on")
	for _, line := range p.Protect {
		w.line("  %s", line)
	}
}
