package backup

import (
	"fmt"
	"slices"
)

// parents returns the parent of each link (-1: none), read link by link: the parent of an incremental is the newest
// older backup of its project, but never a failed full. ls are oldest first.
func parents(ls []Link) []int {
	up := make([]int, len(ls))
	for i, l := range ls {
		up[i] = -1
		for j := i - 1; j >= 0 && l.Kind == Incremental; j-- {
			failedFull := ls[j].Kind == Full && ls[j].Status == StatusError
			if ls[j].ProjectID == l.ProjectID && !failedFull {
				up[i] = j
				break
			}
		}
	}
	return up
}

// parentsSince2023 returns the parents by the rule of Cinder since 2023.1: the newest older backup of the project that
// is available, in any chain.
func parentsSince2023(ls []Link) []int {
	up := make([]int, len(ls))
	for i, l := range ls {
		up[i] = -1
		for j := i - 1; j >= 0 && l.Kind == Incremental; j-- {
			if ls[j].ProjectID == l.ProjectID && (ls[j].Status == StatusAvailable || ls[j].Status == StatusRestoring) {
				up[i] = j
				break
			}
		}
	}
	return up
}

func couldBeRestored(ls []Link, up []int, i int) bool {
	for ; ls[i].Status == StatusAvailable || ls[i].Status == StatusRestoring; i = up[i] {
		if ls[i].Kind == Full {
			return true
		}
		if up[i] < 0 {
			return false
		}
	}
	return false
}

// underFloor marks our newest n restore points and everything they depend on, by one of Cinder's two rules.
func underFloor(ls []Link, up []int, n int) []bool {
	under := make([]bool, len(ls))
	for i := len(ls) - 1; i >= 0 && n > 0; i-- {
		if ls[i].RecordID == "" || !couldBeRestored(ls, up, i) {
			continue
		}
		n--
		for j := i; j >= 0; j = up[j] {
			under[j] = true
		}
	}
	return under
}

// breachExpired returns the invariant that an expiry at now violates; empty if none. ls are oldest first.
func breachExpired(k Constraints, ls []Link, removals []Removal, kept []Kept) string {
	up := parents(ls)
	under := underFloor(ls, up, k.Floor)
	for i, also := range underFloor(ls, parentsSince2023(ls), k.Floor) {
		under[i] = under[i] || also
	}
	removed, seen := make([]bool, len(ls)), make([]bool, len(ls))
	indexOf := func(l Link) int {
		i := slices.Index(ls, l)
		if i < 0 || seen[i] {
			return -1
		}
		seen[i] = true
		return i
	}
	if len(removals)+len(kept) != len(ls) {
		return "kept and removed are not all"
	}
	for _, r := range removals {
		i := indexOf(r.Link)
		if i < 0 {
			return "a link is named twice, or was changed"
		}
		removed[i] = true
		if breach := breachRemoval(k, r, under[i]); breach != "" {
			return breach
		}
	}
	for _, s := range kept {
		if indexOf(s.Link) < 0 {
			return "a link is named twice, or was changed"
		}
		if breach := breachKept(s); breach != "" {
			return breach
		}
	}
	return breachOrder(k, ls, up, under, removed)
}

func breachRemoval(k Constraints, r Removal, under bool) string {
	over := !r.Retention.IsZero() && !r.Retention.After(r.DataTime).After(now)
	switch {
	case r.Foreign():
		return "a foreign backup is removed"
	case k.Purged && r.Status == StatusAvailable && r.Reason == ProjectPurged:
		return "" // at any age, and regardless of the floor
	case under:
		return "a restore point under the floor is removed"
	case r.Status == StatusError && r.Reason == FailedLeftover, r.Status == StatusAvailable && r.Reason == RetentionOver && over:
		return ""
	}
	return fmt.Sprintf("%s is removed for %s, over: %v", r.Status, r.Reason, over)
}

func breachKept(s Kept) string {
	switch {
	case !s.Reason.Known() || s.Reason.Sentence() == "" || s.Reason.Whose() == "":
		return fmt.Sprintf("reason %q is not in the closed set", s.Reason)
	case (s.Reason == Young && !s.Retention.IsZero()) != !s.Until.IsZero():
		return "an end is given where time alone does not decide, or none where it does"
	case !s.Until.IsZero() && (!s.Until.After(now) || !s.Until.Equal(s.Retention.After(s.DataTime))):
		return "the end is not that of its retention"
	}
	return ""
}

// breachOrder checks that no link expires before its dependents, that at most one link of each chain expires, and
// that every link that may expire does.
func breachOrder(k Constraints, ls []Link, up []int, under, removed []bool) string {
	dependents := make([]int, len(ls))
	gone := make([]int, len(ls)) // by the first link of the chain
	building := map[string]int{} // project -> first link of its newest chain
	root := func(i int) int {
		for up[i] >= 0 {
			i = up[i]
		}
		return i
	}
	for i, l := range ls {
		if up[i] >= 0 {
			dependents[up[i]]++
		}
		if removed[i] {
			gone[root(i)]++
		}
		if k.Building && (l.Kind == Incremental || l.Status != StatusError) {
			building[l.ProjectID] = root(i)
		}
	}
	held := func(i int) bool {
		b, ok := building[ls[i].ProjectID]
		return ok && b == root(i)
	}
	for i, l := range ls {
		may := !l.Foreign() && dependents[i] == 0 && !held(i) &&
			(l.Status == StatusError || l.Status == StatusAvailable &&
				(k.Purged || !under[i] && !l.Retention.IsZero() && !l.Retention.After(l.DataTime).After(now)))
		switch {
		case removed[i] && dependents[i] > 0:
			return "a link is removed before its dependents"
		case gone[i] > 1:
			return "two links of one chain are removed at once"
		case removed[i] && held(i):
			return "a link is removed from the chain that a creation builds on"
		case may && !removed[i]:
			return "a link is kept that may be removed"
		}
	}
	return ""
}
