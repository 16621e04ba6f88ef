package main

import (
	"fmt"

	"staffeln/backup"
	"staffeln/db"
)

// drawVolume tells which volume it is, how it stands and why.
func (v *explainView) drawVolume(s *sheet) {
	s.line("")
	s.labelled("ID", v.VolumeID)
	v.drawServer(s)
	s.labelled("project", v.project()+"  "+v.ProjectID)
	encrypted := ""
	if v.Encrypted {
		encrypted = ", encrypted"
	}
	s.labelled("seen", fmt.Sprintf("%d GiB%s, status %s, zone %s, at %s", v.SizeGiB, encrypted, v.Status, v.Zone, clock(v.SeenAt)))
	if v.GoneAt != nil {
		s.labelled("gone", "since "+clock(*v.GoneAt))
	}
	v.drawStanding(s)
	for _, f := range v.Findings {
		label, of := "FINDING:", ""
		if !v.names(f.Object) {
			label, of = "PERHAPS:", fmt.Sprintf(" Is the volume attached to that server, %s?", f.Object)
		}
		s.words("  ", fmt.Sprintf("%s %s Seen: %s.%s", s.paint(careful, label), f.Reason.words(), f.Detail, of))
	}
}

// drawServer names the server that asks for backups, or the last one that did.
func (v *explainView) drawServer(s *sheet) {
	if v.ServerID == "" {
		s.labelled("server", "none of its servers ever asked for backups")
		return
	}
	s.labelled("server", v.server()+"  "+v.ServerID)
	if v.Standing == db.Unprotected || v.Standing == db.Gone {
		s.labelled("", "(the last that asked for backups)")
	}
}

// drawStanding tells in short what whoever is woken by an alert asks first: how bad it is, since when, and why.
func (v *explainView) drawStanding(s *sheet) {
	stands, limit := v.Standing, span(seconds(v.LateAfter))
	switch stands {
	case db.Late:
		stands = s.paint(bad, "LATE")
	case db.Protected:
		stands = s.paint(good, stands)
	}
	point := "no restore point"
	if v.RestorePoint != nil {
		point = fmt.Sprintf("newest restore point %s, %s", clock(*v.RestorePoint), s.ago(v.RestorePoint))
	}
	s.labelled("stands", stands+": "+point)
	switch v.Standing {
	case db.Late:
		since := v.RestorePoint.Add(seconds(v.LateAfter))
		s.labelled("", fmt.Sprintf("(late since %s, %s: older than %s)", clock(since), s.ago(&since), limit))
	case db.Protected:
		s.labelled("", "(late when that is older than "+limit+")")
	}
	if why := v.because(); why != "" {
		s.labelled("why", why)
	}
}

// because says in a sentence why a volume is not protected now; empty where it is.
func (v *explainView) because() string {
	if v.Standing == db.Protected || v.Standing == db.Unknown || v.Standing == db.Gone {
		return ""
	}
	switch now, r := v.Now, v.progress; {
	case r != nil && r.State == backup.Overdue:
		return "The backup in progress is overdue. " + reasonOf(r.Reason).words()
	case r != nil && r.State == backup.Planned && r.AdmittedAt == nil:
		return "A backup is planned, and waits for a place under the caps."
	case now.Reason.Code == backup.BackupInProgress || now.Reason.Code == backup.Paused || v.Standing == db.Unprotected:
		return now.Reason.words()
	case v.Failure != nil:
		return v.Failure.Reason.words()
	case backup.Action(now.Action) == backup.Create:
		return "A backup is due, and no plan has asked for it yet."
	default:
		return now.Reason.words()
	}
}
