package rig

import (
	"fmt"
	"slices"

	"staffeln/backup"
	"staffeln/view"
)

// StatusCodes returns the codes that `staffeln status --json` shows: of warnings, protection with its count, pauses, waits,
// records in progress, failures, stuck backups and findings.
func StatusCodes(v view.Status) (codes []string) {
	for _, w := range v.Warnings {
		codes = append(codes, w.Code)
	}
	for _, p := range backup.Protections {
		if n := v.Volumes.Of(p); n > 0 {
			codes = append(codes, fmt.Sprintf("%s %d", p, n))
		}
	}
	for range v.Pauses {
		codes = append(codes, "pause")
	}
	for _, b := range v.Backlog {
		for _, code := range b.WaitsFor {
			codes = append(codes, "waits: "+string(code))
		}
	}
	for _, one := range slices.Concat(v.InProgress, v.Removals) {
		codes = append(codes, one.State)
	}
	for _, f := range v.Failures {
		codes = append(codes, "failed: "+string(f.Reason.Code))
	}
	for _, one := range v.Stuck {
		codes = append(codes, "stuck: "+string(one.Reason.Code))
	}
	for _, f := range v.Findings {
		codes = append(codes, "finding: "+string(f.Reason.Code))
	}
	return codes
}

// ExplainCodes returns the codes that `staffeln explain --json` shows: of the protection, what happens now, waits, the
// failure and findings.
func ExplainCodes(v view.Explanation) []string {
	codes := []string{string(v.Protection), "now: " + string(v.Now.Reason.Code)}
	for _, w := range v.WaitsFor {
		codes = append(codes, "waits: "+string(w.For))
	}
	if v.Failure != nil {
		codes = append(codes, "failed: "+string(v.Failure.Reason.Code))
	}
	for _, f := range v.Findings {
		codes = append(codes, "finding: "+string(f.Reason.Code))
	}
	return codes
}
