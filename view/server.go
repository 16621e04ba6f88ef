package view

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// Where a server and its volumes were seen.
const (
	SeenByPlan  = "plan"
	SeenInCloud = "cloud" // just now: no plan has seen it
)

// ServerProtection shows whether a server is protected: its volumes, and if it does not ask for backups, how it does.
type ServerProtection struct {
	AsOf

	Seen        string          `json:"seen" desc:"plan, or cloud: looked up just now, no plan has seen it"`
	ServerID    string          `json:"server_id" desc:"Nova's ID; \"\": the volume is attached to no server"`
	ServerName  string          `json:"server_name" desc:"its name"`
	ProjectID   string          `json:"project_id" desc:"of the owning project"`
	ProjectName string          `json:"project_name" desc:"its name; \"\": not known"`
	Asks        bool            `json:"asks_for_backups" desc:"its metadata asks for backups"`
	Summary     string          `json:"summary" desc:"in sentences: whether it is protected, and why not"`
	Protect     []string        `json:"how_to_protect" desc:"commands for a shell with OpenStack's client; empty: it asks for backups already"`
	Volumes     []VolumeSummary `json:"volumes" desc:"the volumes that are attached to it"`
}

// Name returns the server's name, or its ID.
func (s *ServerProtection) Name() string { return Or(s.ServerName, s.ServerID) }

// Project returns the project's name, or its ID.
func (s *ServerProtection) Project() string { return Or(s.ProjectName, s.ProjectID) }

// ServerOf returns the server with that ID or name, by what the plans saw. A project's reader does not find the servers of
// other projects.
func (r Reader) ServerOf(ctx context.Context, l *db.Snapshot, idOrName string) (*ServerProtection, error) {
	found, err := l.AttachedServer(ctx, r.Project, idOrName)
	if err != nil {
		return nil, err
	}
	s, err := r.newServer(ctx, l, SeenByPlan)
	if err != nil {
		return nil, err
	}
	s.ServerID, s.ServerName, s.ProjectID, s.ProjectName, s.Asks = found.ID, found.Name, found.ProjectID, found.ProjectName, found.Asks
	if s.Volumes, err = r.knownVolumes(ctx, l, s.AsOf, Each(found.Volumes, func(v db.Volume) string { return v.ID })); err != nil {
		return nil, err
	}
	s.summarize(r.Settings.BackupMetadataKey)
	return s, nil
}

// knownVolumes returns those of the volumes that a plan has seen.
func (r Reader) knownVolumes(ctx context.Context, l *db.Snapshot, at AsOf, ids []string) ([]VolumeSummary, error) {
	list := VolumeList{AsOf: at, Volumes: []VolumeSummary{}}
	var protections []db.VolumeProtection
	for _, id := range ids {
		p, err := l.ProtectionOf(ctx, r.Settings.RPO(), r.Project, id)
		if errors.Is(err, db.ErrUnknownVolume) {
			continue
		}
		if err != nil {
			return nil, err
		}
		protections = append(protections, p)
	}
	err := r.judge(ctx, l, &list, protections)
	return list.Volumes, err
}

// ServerInCloud returns a server as the cloud shows it now, with its volumes, which a plan may have seen attached to another
// server. server is nil for a volume that is attached to none.
func (r Reader) ServerInCloud(ctx context.Context, l *db.Snapshot, server *backup.Server, volumes []backup.Volume) (*ServerProtection, error) {
	s, err := r.newServer(ctx, l, SeenInCloud)
	if err != nil {
		return nil, err
	}
	protection := backup.Unprotected
	if server != nil {
		s.ServerID, s.ServerName, s.ProjectID = server.ID, server.Name, server.ProjectID
		s.Asks = backup.Asks(*server, r.Settings.BackupMetadataKey)
	}
	if s.Asks {
		protection = backup.Waiting
	}
	known, err := r.knownVolumes(ctx, l, s.AsOf, Each(volumes, func(v backup.Volume) string { return v.ID }))
	if err != nil {
		return nil, err
	}
	for _, v := range volumes {
		s.ProjectID = Or(s.ProjectID, v.ProjectID)
		if i := slices.IndexFunc(known, func(one VolumeSummary) bool { return one.VolumeID == v.ID }); i >= 0 {
			s.Volumes = append(s.Volumes, known[i])
			continue
		}
		s.Volumes = append(s.Volumes, VolumeSummary{
			Object:  Object{VolumeNames{VolumeID: v.ID, VolumeName: v.Name, ServerID: s.ServerID, ServerName: s.ServerName}, v.ProjectID, ""},
			SizeGiB: v.SizeGiB, Status: v.Status, VolumeProtection: VolumeProtection{Protection: protection},
			Now: Next{Action: string(backup.Wait), Reason: ReasonOf("")},
		})
	}
	s.summarize(r.Settings.BackupMetadataKey)
	return s, nil
}

func (r Reader) newServer(ctx context.Context, l *db.Snapshot, seen string) (*ServerProtection, error) {
	metadata, _, err := r.Metadata(ctx, l)
	return &ServerProtection{AsOf: metadata, Seen: seen, Protect: []string{}, Volumes: []VolumeSummary{}}, err
}

// summarize adds the sentences, and how the server asks for backups.
func (s *ServerProtection) summarize(key string) {
	counts := map[backup.Protection]int{}
	for _, v := range s.Volumes {
		counts[v.Protection]++
	}
	good := counts[backup.Protected]
	switch {
	case s.ServerID == "":
		s.Summary = "Not protected: the volume is attached to no server."
	case !s.Asks && slices.ContainsFunc(s.Volumes, func(v VolumeSummary) bool { return v.ServerID != s.ServerID && v.Protection != backup.Unprotected }):
		s.Summary = "Its metadata does not ask for backups, but another server's does that shares a volume with it: " + s.protections(counts) + "."
	case !s.Asks:
		s.Summary = "Not protected: its metadata does not ask for backups."
		s.Protect = []string{"openstack server set --property " + key + "=true " + s.ServerID}
	case len(s.Volumes) == 0:
		s.Summary = "It asks for backups, but no volume is attached to it. Staffeln backs up volumes, not local disks."
	case s.Seen == SeenInCloud:
		s.Summary = "It asks for backups, but no plan has seen it."
	case good == len(s.Volumes):
		s.Summary = "Protected: each of its volumes has a restore point that is not too old."
	default:
		s.Summary = "Not completely protected: " + s.protections(counts) + "."
	}
	if s.Seen == SeenInCloud || !s.Asks {
		s.Summary += " The next plan " + ComesAt(s.NextPlanAt, s.At)
		if !s.tenant {
			s.Summary += "; an operator runs one at once with `staffeln plan --now`"
		}
		s.Summary += "."
	}
}

// protections returns how many volumes have which protection.
func (s *ServerProtection) protections(counts map[backup.Protection]int) string {
	var parts []string
	for _, p := range backup.Protections {
		if n := counts[p]; n > 0 {
			parts = append(parts, Plural(n, "volume is "+string(p), "volumes are "+string(p)))
		}
	}
	return strings.Join(parts, ", ")
}

// ComesAt returns when the next run comes.
func ComesAt(next, now time.Time) string {
	if next.After(now) {
		return "comes at " + Clock(next) + " UTC, in " + backup.Span(next.Sub(now))
	}
	return "is due since " + Clock(next) + " UTC"
}
