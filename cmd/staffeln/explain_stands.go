package main

import (
	"fmt"
	"strings"

	"staffeln/backup"
	"staffeln/view"
)

// drawVolume tells which volume it is, how it stands and why.
func (v *explainView) drawVolume(s *sheet) {
	s.line("")
	s.labelled("ID", v.VolumeID)
	v.drawServer(s)
	s.labelled("project", v.Project()+"  "+v.ProjectID)
	encrypted := ""
	if v.Encrypted {
		encrypted = ", encrypted"
	}
	s.labelled("seen", fmt.Sprintf("%d GiB%s, status %s, zone %s, at %s", v.SizeGiB, encrypted, v.Status, v.Zone, view.Clock(v.SeenAt)))
	if v.GoneAt != nil {
		s.labelled("gone", "since "+view.Clock(*v.GoneAt))
	}
	v.drawProtection(s)
	for _, f := range v.Findings {
		label, of := "FINDING:", ""
		if !v.Names(f.Object) {
			label, of = "PERHAPS:", fmt.Sprintf(" Is the volume attached to that server, %s?", f.Object)
		}
		s.words("  ", fmt.Sprintf("%s %s Seen: %s.%s", s.paint(careful, label), f.Reason.Words(), strings.TrimSuffix(f.Detail, "."), of))
	}
}

// drawServer names the server that asks for backups, or the last one that did.
func (v *explainView) drawServer(s *sheet) {
	if v.ServerID == "" {
		s.labelled("server", "none of its servers ever asked for backups")
		return
	}
	s.labelled("server", v.Server()+"  "+v.ServerID)
	if v.Protection == backup.Unprotected || v.Protection == backup.Gone {
		s.labelled("", "(the last that asked for backups)")
	}
}

// drawProtection tells in short what whoever is woken by an alert asks first: how bad it is, since when, and why.
func (v *explainView) drawProtection(s *sheet) {
	protection, limit := string(v.Protection), backup.Span(view.Seconds(v.LateAfter))
	switch v.Protection {
	case backup.Late:
		protection = s.paint(bad, "LATE")
	case backup.Protected:
		protection = s.paint(good, protection)
	}
	point := "no restore point"
	if v.RestorePoint != nil {
		point = fmt.Sprintf("newest restore point %s, %s", view.Clock(*v.RestorePoint), s.ago(v.RestorePoint))
	}
	s.labelled("stands", protection+": "+point)
	switch v.Protection {
	case backup.Late:
		than := "older than "
		if v.RestorePoint == nil {
			than = "protected and without one for more than "
		}
		s.labelled("", fmt.Sprintf("(late since %s, %s: %s)", view.Clock(*v.LateSince), s.ago(v.LateSince), than+limit))
	case backup.Protected:
		s.labelled("", "(late when that is older than "+limit+")")
	}
	if why := v.Because(); why != "" {
		s.labelled("why", why)
	}
}
