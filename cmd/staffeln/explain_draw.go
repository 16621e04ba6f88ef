package main

import (
	"fmt"
	"strings"

	"staffeln/backup"
	"staffeln/db"
)

func (v *explainView) draw(s *sheet) {
	v.asOf.draw(s, "Volume "+v.volume())
	v.drawVolume(s)
	s.section("POLICY", "")
	s.table([]column{{name: "PART"}, {name: "VALUE"}, {name: "COMES FROM", flex: true, wrap: true}},
		each(v.Policy, func(p policyPart) []string { return []string{strings.ReplaceAll(p.Name, "_", " "), p.Value, p.Source} }), 0)
	v.drawChains(s)
	v.drawDecision(s)
	v.drawNext(s)
	v.drawGoing(s)
}

func (v *explainView) drawVolume(s *sheet) {
	s.line("")
	s.line("  ID       %s", v.VolumeID)
	if v.ServerID != "" {
		s.line("  server   %s  %s", v.server(), v.ServerID)
	}
	s.line("  project  %s  %s", v.project(), v.ProjectID)
	encrypted := ""
	if v.Encrypted {
		encrypted = ", encrypted"
	}
	s.line("  seen     %d GiB%s, %s, zone %s, at %s", v.SizeGiB, encrypted, v.Status, v.Zone, clock(v.SeenAt))
	if v.GoneAt != nil {
		s.line("  gone     since %s", clock(*v.GoneAt))
	}
	stands := v.Standing
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
	s.line("  stands   %s: %s", stands, point)
	if v.Standing == db.Late || v.Standing == db.Protected {
		s.line("           (late when that is older than %s)", span(seconds(v.LateAfter)))
	}
	for _, f := range v.Findings {
		s.words("  ", fmt.Sprintf("%s %s Seen: %s", s.paint(careful, "FINDING:"), f.Reason.words(), f.Detail))
	}
}

// drawDecision tells the newest decision, and the failure that somebody must act on.
func (v *explainView) drawDecision(s *sheet) {
	s.section("LAST DECISION", "")
	if v.Last == nil {
		s.line("  None yet.")
	} else {
		s.words("  ", fmt.Sprintf("%s, %s: %s. %s", clock(v.Last.At), s.ago(&v.Last.At), did(v.Last.Action, ""), v.Last.Reason.words()))
	}
	if f := v.Failure; f != nil {
		s.section("LAST FAILURE", "")
		s.words("  ", fmt.Sprintf("%s, %s: %s. %s", clock(f.At), s.ago(&f.At), s.state(f.State), f.Reason.words()))
		if f.Text != "" {
			s.words("  ", "In Cinder's words: "+f.Text)
		}
		if f.RequestID != "" {
			s.line("  Request: %s", f.RequestID)
		}
	}
}

// did says an action.
func did(action, kind string) string {
	switch backup.Action(action) {
	case backup.Create:
		switch backup.Kind(kind) {
		case backup.Full:
			return "a full backup is planned"
		case backup.Incremental:
			return "an incremental backup is planned"
		}
		return "a backup is planned"
	case backup.Fail:
		return "it is recorded that none can be made"
	case backup.Withdraw:
		return "the planned backup is withdrawn"
	case backup.Wait:
	}
	return "nothing is planned"
}

// drawNext tells what is waited for, and what comes next.
func (v *explainView) drawNext(s *sheet) {
	s.section("WAITED FOR", "")
	if len(v.WaitsFor) == 0 {
		s.line("  Nothing but time, or a change in the cloud.")
	}
	for _, w := range v.WaitsFor {
		s.words("  ", w)
	}
	s.section("NEXT", "as a plan would decide now")
	switch {
	case v.Standing == db.Unknown:
		s.words("  ", "The newest plan did not see enough to tell: the last decision stands.")
		return
	case backup.Action(v.Now.Action) == backup.Wait:
		s.words("  ", "Now: nothing is planned. "+v.Now.Reason.words())
	case v.Now.At != nil && v.Now.At.After(s.now):
		s.words("  ", fmt.Sprintf("%s, %s: %s. %s", clock(*v.Now.At), s.ago(v.Now.At), did(v.Now.Action, v.Now.Kind), v.Now.Reason.words()))
	default:
		s.words("  ", fmt.Sprintf("At the leader's next plan, due since %s: %s. %s", maybeClock(v.Now.At), did(v.Now.Action, v.Now.Kind), v.Now.Reason.words()))
	}
	if a := v.Ahead; a != nil {
		condition := ""
		if a.EndsWell {
			condition = "if the one in progress ends well, "
		}
		s.words("  ", fmt.Sprintf("%s, %s: %s%s. %s", clock(a.At), s.ago(&a.At), condition, did(a.Action, a.Kind), a.Reason.words()))
	}
}
