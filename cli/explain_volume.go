package cli

import (
	"fmt"
	"strings"

	"staffeln/backup"
	"staffeln/view"
)

// renderVolume writes which volume it is, its protection, and why.
func (p *explainPage) renderVolume(w *renderer) {
	w.line("")
	w.labelled("ID", p.VolumeID)
	p.renderServer(w)
	w.labelled("project", p.Project()+"  "+p.ProjectID)
	encrypted := ""
	if p.Encrypted {
		encrypted = ", encrypted"
	}
	w.labelled("seen", fmt.Sprintf("%d GiB%s, status %s, zone %s, at %s", p.SizeGiB, encrypted, p.Status, p.Zone, view.Clock(p.SeenAt)))
	if p.GoneAt != nil {
		w.labelled("gone", "since "+view.Clock(*p.GoneAt))
	}
	p.renderProtection(w)
	for _, f := range p.Findings {
		label, of := "FINDING:", ""
		if !p.Names(f.Object) {
			label, of = "PERHAPS:", fmt.Sprintf(" Is the volume attached to that server, %s?", f.Named())
		}
		w.paragraph("  ", fmt.Sprintf("%s %s Seen: %s.%s", w.colour(warning, label), f.Reason.Words(), strings.TrimSuffix(f.Detail, "."), of))
	}
}

// renderServer writes the server that asks for backups, or the last one that did.
func (p *explainPage) renderServer(w *renderer) {
	if p.ServerID == "" {
		w.labelled("server", "no server of this volume has asked for backups")
		if p.AttachedID != "" {
			w.labelled("", "(attached to "+p.Attached()+"; `staffeln explain "+p.AttachedID+"` shows how it is protected)")
		}
		return
	}
	w.labelled("server", p.Server()+"  "+p.ServerID)
	if p.Protection == backup.Unprotected || p.Protection == backup.Gone {
		w.labelled("", "(the last that asked for backups)")
	}
}

// renderProtection writes what matters first after an alert: the protection, since when, and why.
func (p *explainPage) renderProtection(w *renderer) {
	protection, limit := string(p.Protection), backup.Span(view.Seconds(p.LateAfter))
	if p.Protection == backup.Late {
		protection = w.colour(bad, "LATE")
	}
	if p.Protection == backup.Protected {
		protection = w.colour(good, protection)
	}
	point := "no restore point"
	if p.RestorePoint != nil {
		point = fmt.Sprintf("newest restore point %s, %s", view.Clock(*p.RestorePoint), w.ago(p.RestorePoint))
	}
	w.labelled("protection", protection+": "+point)
	if p.Protection == backup.Late {
		than := "older than "
		if p.RestorePoint == nil {
			than = "protected and without one for more than "
		}
		w.labelled("", fmt.Sprintf("(late since %s, %s: %s)", view.Clock(*p.LateSince), w.ago(p.LateSince), than+limit))
	}
	if p.Protection == backup.Protected {
		w.labelled("", "(late if older than "+limit+")")
	}
	if why := p.Because(); why != "" {
		w.labelled("why", why)
	}
}
