package backup

import (
	"cmp"
	"slices"
)

// floorOf returns the links under the floor: the n newest restore points of
// ours, by the time of their data, and all they stand on. A foreign backup is
// never counted.
//
// Which backup an incremental stands on depends on Cinder's release: the newest
// one, or since 2023.1 the newest that was available. Where something in
// between is unusable now, the two differ: what is under the floor by either
// reading stays.
func floorOf(chains []Chain, n int) map[string]Reason {
	floor := map[string]Reason{}
	if n <= 0 {
		return floor
	}
	for _, l := range newest(restorable(chains), n) {
		floor[l.BackupID] = Floor
	}
	for _, c := range chains {
		stands := false
		for _, l := range slices.Backward(c) {
			if floor[l.BackupID] == Floor {
				stands = true
			} else if stands {
				floor[l.BackupID] = FloorDependsOnIt
			}
		}
	}
	parents, points := forked(chains)
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

// newest returns the last n of ours by the time of their data.
func newest(points []Link, n int) []Link {
	points = slices.DeleteFunc(points, Link.Foreign)
	slices.SortStableFunc(points, func(a, b Link) int { return a.DataTime.Compare(b.DataTime) })
	return points[max(0, len(points)-n):]
}

// forked reads the chains by the rule of Cinder since 2023.1: each incremental
// stands on the newest usable backup before it. It returns on which, and the
// restore points.
func forked(chains []Chain) (parents map[string]string, points []Link) {
	links := slices.Concat(chains...)
	slices.SortFunc(links, earlier)
	parents, points = map[string]string{}, make([]Link, 0, len(links))
	top := map[string]Link{} // project -> the newest usable one so far, by Cinder's time
	ok := map[string]bool{}  // it could be restored
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

// growing returns the chains that an incremental made now may build on: of each
// project the newest one, and the one that its newest backup by Cinder's time is
// in. A volume that was transferred to and fro grows a chain that is not its
// newest one.
func growing(chains []Chain) map[int]bool {
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
