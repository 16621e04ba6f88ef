package view

import (
	"strconv"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// Part is one part of the effective policy.
type Part struct {
	Name   string `json:"name" desc:"protection, interval, service_period, incrementals_per_full, retention, shorter_retention, floor or late_after"`
	Value  string `json:"value" desc:"in the notation of the configuration"`
	Source string `json:"source" desc:"the variable, the server metadata, or the default that it comes from; for tenants: set by the operator"`
}

// prefix begins all variables of the configuration.
const prefix = "STAFFELN"

// policy is the settings and where each of them comes from.
type policy struct {
	backup.Settings

	given  func(variable string) bool
	tenant bool // the reader is a tenant, to whom the variables mean nothing
}

// byOperator is the source of a setting for a tenant.
const byOperator = "set by the operator"

// of returns the policy in force for a volume. The retention and the protection are those that the newest plan
// stored; the rest is read here as the scheduler reads it.
func (set policy) of(v db.Volume, now time.Time) []Part {
	parts := []Part{
		set.protection(v),
		{"interval", set.BackupMinInterval.String(), set.source("BACKUP_MIN_INTERVAL")},
		{"service_period", set.BackupServicePeriod.String(), set.source("BACKUP_SERVICE_PERIOD")},
		{"incrementals_per_full", strconv.Itoa(set.FullBackupDepth), set.source("FULL_BACKUP_DEPTH")},
		set.retention(v),
	}
	if v.Retention.Shorter != nil {
		parts = append(parts, set.shorter(v))
	}
	parts = append(parts, set.floor(v, now))
	if !v.Protected {
		return parts
	}
	return append(parts, set.lateAfter(v))
}

// floor returns how many of the newest restore points are kept at any age, by the same rule as the removals.
func (set policy) floor(v db.Volume, now time.Time) Part {
	floor := Part{"floor", Plural(set.MinRestorePoints, "restore point", "restore points"), set.source("MIN_RESTORE_POINTS")}
	end := backup.ConstraintsOf(v.ProjectID, v.Guard(set.Settings), nil).FloorUntil
	switch {
	case v.Protected || set.MinRestorePoints == 0:
	case end.IsZero() || !now.Before(end):
		floor.Value, floor.Source = "none", "only a protected volume has one, or one whose protection ended within the grace: "+floor.Value+", "+floor.Source
	default:
		floor.Source += ", until " + Clock(end) + ": the grace after its protection ended (" + set.source("PROTECTION_GRACE") + ")"
	}
	return floor
}

// limit returns who or what limits the values in the metadata.
func (set policy) limit(name string) string {
	if set.tenant {
		return "the operator"
	}
	return prefix + "_" + name
}

// source returns whether a variable is set here or has its default.
func (set policy) source(name string) string {
	if set.tenant {
		return byOperator
	}
	name = prefix + "_" + name
	if set.given != nil && set.given(name) {
		return name
	}
	return "default of " + name
}

// lateAfter returns the RPO of the volume, and what it is made of.
func (set policy) lateAfter(v db.Volume) Part {
	rpo := set.RPO()
	part := Part{"late_after", backup.Span(rpo.Of(v.Usual)), byOperator}
	if set.tenant {
		return part
	}
	from := "interval"
	if set.BackupServicePeriod > set.BackupMinInterval {
		from = "service period"
	}
	part.Source = from + " + usual duration (" + backup.Span(v.Usual) + ") + grace (" + backup.Span(rpo.Grace) + ", " + set.source("RPO_GRACE") + ")"
	if rpo.Most > 0 && rpo.Of(v.Usual) == rpo.Most {
		part.Source += ", at most twice that and an hour"
	}
	return part
}

func (set policy) protection(v db.Volume) Part {
	switch key := set.BackupMetadataKey; {
	case v.GoneAt != nil:
		return Part{"protection", "no", "the volume is gone"}
	case !v.Protected && (v.Status == "available" || key == ""):
		return Part{"protection", "no", "it is attached to no server"}
	case !v.Protected:
		return Part{"protection", "no", "no server that it is attached to has " + key + " = true"}
	case key == "" && set.tenant:
		return Part{"protection", "yes", byOperator + ": every server"}
	case key == "":
		return Part{"protection", "yes", prefix + "_BACKUP_METADATA_KEY is empty: every server"}
	default:
		return Part{"protection", "yes", "metadata " + key + " = true of server " + Or(v.ServerName, v.ServerID)}
	}
}

func (set policy) retention(v db.Volume) Part {
	p := Part{"retention", v.Retention.InForce.String(), ""}
	switch {
	case v.Retention.InForce.IsZero():
		return Part{"retention", "none", "the volume was never protected"}
	case v.Retention.Source == backup.FromMetadata:
		p.Source = "metadata " + set.RetentionMetadataKey + " of server " + Or(v.ServerName, v.ServerID)
		switch v.Retention.InForce {
		case set.RetentionMin:
			p.Source += ", the least that " + set.limit("RETENTION_MIN") + " allows"
		case set.RetentionMax:
			p.Source += ", the most that " + set.limit("RETENTION_MAX") + " allows"
		}
	case v.Retention.InForce != set.RetentionTime && !set.tenant:
		p.Source = prefix + "_RETENTION_TIME of the scheduler's newest plan; here it is " + set.RetentionTime.String()
	default:
		p.Source = set.source("RETENTION_TIME")
	}
	if !v.Protected {
		p.Source = "last known value: " + p.Source
	}
	return p
}

func (set policy) shorter(v db.Volume) Part {
	why := "asked for by metadata since " + Clock(v.Retention.ShorterSince)
	if at, waits := RetentionInputOf(set.Settings, v, nil, nil).Shortened(); waits {
		why += ", in force from " + Clock(at) + " on (" + set.source("RETENTION_SHORTEN_DELAY") + ")"
	} else {
		why += ", without effect while the volume is not protected"
	}
	return Part{"shorter_retention", v.Retention.Shorter.String(), why}
}
