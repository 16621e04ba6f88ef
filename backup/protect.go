package backup

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Keys are the names of the server metadata that tenants set.
type Keys struct {
	Backup    string // empty: every server is protected
	Retention string
}

// A Wish is what the servers of one volume request.
type Wish struct {
	Volume Volume
	// Server is the protecting server that names the backups. Of several it is the one with the smallest ID, so that
	// each plan chooses the same.
	Server Server
	// Retention is the longest one that a protecting server requests; nil if none does.
	Retention *Period
	// Unreadable reports that the servers' request is unknown: one has a retention that could not be parsed and none
	// has a valid one, or Nova did not list one of them. The previous value remains in force.
	Unreadable bool
}

// A View is what one inventory shows about protection. A volume in none of its lists has no server that requests
// backups, and had none before.
type View struct {
	Protected []Wish // by volume ID
	// Unknown are the volumes without a conclusion: their previous state remains in force.
	Unknown []string
	// Ended are the volumes whose protection ended, and why.
	Ended map[string]Reason
	// Detached is the number of plans in a row that saw a volume of Unknown detached.
	Detached map[string]int
	// Missing is how many listed volumes that were protected are attached to a server that the list lacks, or would
	// end because they are shown as detached.
	Missing int
	// Suspects are the servers whose response by ID would decide about a protected volume.
	Suspects []string
	Findings []Finding
}

// Protect joins servers and volumes: a volume is protected if Nova or Cinder shows it as attached to a server whose
// value of the metadata key is `true` (any case, trimmed). With `false` or without the key it is not; any other value
// does not protect it either, and is a finding. A volume of several servers counts once, with their longest
// retention. See [Before] and [CloudResponses] for what ends the protection.
func Protect(inv Inventory, keys Keys, before func(Volume) Before, responses CloudResponses) View {
	view := View{Ended: map[string]Reason{}, Detached: map[string]int{}}
	c := newCloud(inv, keys, responses)
	for _, j := range c.servers {
		view.Findings = append(view.Findings, j.findings...)
	}
	suspects := map[string]bool{}
	conclude := func(v Volume, listed bool) {
		end := c.conclude(v, before(v))
		switch {
		case end.protected:
			view.Protected = append(view.Protected, end.wish)
		case end.unknown:
			view.Unknown = append(view.Unknown, v.ID)
		case end.ended != "":
			view.Ended[v.ID] = end.ended
		}
		if end.detached > 0 {
			view.Detached[v.ID] = end.detached
		}
		if end.missing && listed {
			view.Missing++
		}
		for _, id := range end.suspects {
			suspects[id] = true
		}
	}
	for _, v := range inv.Volumes {
		conclude(v, true)
	}
	for _, v := range responses.Volumes {
		conclude(v, false)
	}
	slices.SortFunc(view.Protected, func(a, b Wish) int { return cmp.Compare(a.Volume.ID, b.Volume.ID) })
	slices.SortFunc(view.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Reason, b.Reason))
	})
	slices.Sort(view.Unknown)
	view.Suspects = slices.Sorted(maps.Keys(suspects))
	return view
}

func (w *Wish) add(j serverMetadata) {
	w.Unreadable = w.Unreadable || j.unreadable
	if j.retention != nil && (w.Retention == nil || j.retention.longerOnAverage(*w.Retention)) {
		w.Retention = j.retention
	}
}

// serverMetadata is the metadata of one server, parsed once for all of its volumes.
type serverMetadata struct {
	server     Server
	protects   bool
	retention  *Period
	unreadable bool
	findings   []Finding
}

// Asks reports whether the server's metadata asks for backups.
func Asks(s Server, key string) bool { return readMetadata(s, Keys{Backup: key}).protects }

func readMetadata(s Server, keys Keys) serverMetadata {
	j := serverMetadata{server: s, protects: keys.Backup == ""}
	finding := func(r Reason, key, value string) {
		j.findings = append(j.findings, Finding{
			Reason: r, ProjectID: s.ProjectID, Object: s.ID, ObjectName: s.Name, Detail: fmt.Sprintf("%s is %.80q", key, value),
		})
	}
	if value, ok := s.Metadata[keys.Backup]; ok && keys.Backup != "" {
		switch strings.ToLower(strings.TrimSpace(value)) {
		case "true":
			j.protects = true
		case "false":
		default:
			finding(BackupMetadataUnreadable, keys.Backup, value)
		}
	}
	if value, ok := s.Metadata[keys.Retention]; ok && keys.Retention != "" && j.protects {
		p, err := ParsePeriod(strings.TrimSpace(value))
		if err != nil || p.IsZero() {
			j.unreadable = true
			finding(RetentionMetadataUnreadable, keys.Retention, value)
		} else {
			j.retention = &p
		}
	}
	return j
}
