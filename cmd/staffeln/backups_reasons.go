package main

import (
	"fmt"
	"strings"

	"staffeln/backup"
)

// drawReasons tells below the table, reason by reason, why: of which backups, and of the newest in full.
func (v backupsView) drawReasons(s *sheet) {
	var codes []backup.Reason
	by := map[backup.Reason][]backupView{}
	for _, b := range v.Backups {
		code := b.Reason.Code
		if code == "" {
			continue
		}
		if by[code] == nil {
			codes = append(codes, code)
		}
		by[code] = append(by[code], b)
	}
	if len(codes) > 0 {
		s.section("REASONS", "")
	}
	for _, code := range codes {
		all := by[code]
		s.words("  ", all[0].Reason.words())
		shown, more := first(glance, all)
		words := strings.Join(each(shown, func(b backupView) string {
			return fmt.Sprintf("%s at %s (%s)", b.volume(), s.near(b.At), b.State)
		}), ", ")
		if more > 0 {
			words += fmt.Sprintf(" and %d more", more)
		}
		s.words("    ", words+".")
		if all[0].Text != "" {
			s.words("    ", "The newest in full: "+all[0].Text)
		}
	}
}
