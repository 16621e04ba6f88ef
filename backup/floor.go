package backup

import (
	"cmp"
	"slices"
)

// floorOf returns the links under the floor: our n newest restore points by data time, and everything they depend on.
// A foreign backup is never counted.
//
// The parent of an incremental depends on Cinder's release: the newest backup, or since 2023.1 the newest one that
// was available. If a backup in between is unusable now, the two rules differ. A link that is under the floor by
// either rule is retained.
func floorOf(chains []Chain, n int) map[string]Reason {
	floor := map[string]Reason{}
	if n <= 0 {
		return floor
	}
	for _, l := range newest(restorable(chains), n) {
		floor[l.BackupID] = Floor
	}
	for _, c := range chains {
		depends := false
		for _, l := range slices.Backward(c) {
			if floor[l.BackupID] == Floor {
				depends = true
			} else if depends {
				floor[l.BackupID] = FloorDependsOnIt
			}
		}
	}
	parents, points := forkedParents(chains)
	for _, l := range newest(points, n) {
		floor[l.BackupID] = Floor
		for up, ok := parents[l.BackupID]; ok; up, ok = parents[up] {
			if floor[up] == "" {
				floor[up] = FloorDependsOnIt
			}
		}
	}
	return floor
}

// newest returns our last n points by data time.
func newest(points []Link, n int) []Link {
	points = slices.DeleteFunc(points, Link.Foreign)
	slices.SortStableFunc(points, func(a, b Link) int { return a.DataTime.Compare(b.DataTime) })
	return points[max(0, len(points)-n):]
}

// forkedParents reads the chains by the rule of Cinder since 2023.1: the parent of each incremental is the newest usable
// backup before it. It returns the parents and the restore points.
func forkedParents(chains []Chain) (parents map[string]string, points []Link) {
	links := slices.Concat(chains...)
	slices.SortFunc(links, earlier)
	parents, points = map[string]string{}, make([]Link, 0, len(links))
	top := map[string]Link{} // project -> the newest usable link so far, by Cinder's time
	ok := map[string]bool{}  // backups that could be restored
	for _, l := range links {
		if !l.usable() {
			continue
		}
		up, under := top[l.ProjectID]
		ok[l.BackupID] = l.Kind == Full
		if l.Kind == Incremental && under {
			parents[l.BackupID], ok[l.BackupID] = up.BackupID, ok[up.BackupID]
		}
		if ok[l.BackupID] {
			points = append(points, l)
		}
		if !under || cmp.Or(l.order().Compare(up.order()), 1) > 0 {
			top[l.ProjectID] = l
		}
	}
	return parents, points
}

// growableChains returns the chains that an incremental made now may be added to: for each project its newest chain, and the
// chain with its newest backup by Cinder's time. A volume that was transferred to another project and back may grow a
// chain that is not its newest one.
func growableChains(chains []Chain) map[int]bool {
	newest, top := map[string]int{}, map[string]int{}
	highest := map[string]Link{}
	for i, c := range chains {
		for _, l := range c {
			if l.failedFull() {
				continue
			}
			newest[l.ProjectID] = i
			if up, ok := highest[l.ProjectID]; !ok || !l.order().Before(up.order()) {
				highest[l.ProjectID], top[l.ProjectID] = l, i
			}
		}
	}
	grows := map[int]bool{}
	for project, i := range newest {
		grows[i], grows[top[project]] = true, true
	}
	return grows
}
