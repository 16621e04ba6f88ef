package backup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Keys are the names of the server metadata that carry a wish.
type Keys struct {
	Backup    string // empty: every server is protected
	Retention string
}

// A Wish is what the servers of one volume ask for.
type Wish struct {
	Volume Volume
	// Server is the protecting server that names the backups: of several, the
	// one with the smallest ID, so that each plan names the same.
	Server Server
	// Retention is the longest that a protecting server asks for; nil where
	// none does.
	Retention *Period
	// Unreadable says that what the servers ask for is not known: one asked
	// for a retention that could not be read and none for a readable one, or
	// Nova did not list one of them. The value before stays.
	Unreadable bool
}

// A View is what one inventory says about protection.
type View struct {
	Protected []Wish // by volume ID
	// Unknown are volumes attached to a server that Nova did not list: nothing
	// is concluded about them.
	Unknown  []string
	Findings []Finding
}

// Protect joins servers and volumes: a volume is protected when it is attached
// to a server whose value under the metadata key is `true` (any case,
// trimmed). `false` or no key is not; anything else is not, and a finding. A
// volume of several servers is one volume, and the longest retention wins.
func Protect(inv Inventory, keys Keys) View {
	var view View
	servers := make(map[string]judged, len(inv.Servers))
	for _, s := range inv.Servers {
		j := judge(s, keys)
		servers[s.ID] = j
		view.Findings = append(view.Findings, j.findings...)
	}
	for _, v := range inv.Volumes {
		w := Wish{Volume: v}
		protected, unseen := false, false
		for _, id := range v.Servers {
			j, ok := servers[id]
			switch {
			case !ok:
				unseen = true
			case j.protects:
				if !protected || j.server.ID < w.Server.ID {
					w.Server = j.server
				}
				protected = true
				w.add(j)
			}
		}
		switch {
		case protected:
			w.Unreadable = unseen || w.Unreadable && w.Retention == nil
			view.Protected = append(view.Protected, w)
		case unseen:
			view.Unknown = append(view.Unknown, v.ID)
		}
	}
	slices.SortFunc(view.Protected, func(a, b Wish) int { return cmp.Compare(a.Volume.ID, b.Volume.ID) })
	slices.Sort(view.Unknown)
	return view
}

func (w *Wish) add(j judged) {
	w.Unreadable = w.Unreadable || j.unreadable
	if j.retention != nil && (w.Retention == nil || j.retention.longerEver(*w.Retention)) {
		w.Retention = j.retention
	}
}

// judged is one server's metadata, read once for all of its volumes.
type judged struct {
	server     Server
	protects   bool
	retention  *Period
	unreadable bool
	findings   []Finding
}

func judge(s Server, keys Keys) judged {
	j := judged{server: s, protects: keys.Backup == ""}
	finding := func(r Reason, key, value string) {
		j.findings = append(j.findings, Finding{
			Reason: r, ProjectID: s.ProjectID, Object: s.ID, Detail: fmt.Sprintf("%s is %.80q", key, value),
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
