package main

import (
	"os"
	"strconv"

	"staffeln/backup"
	"staffeln/db"
)

// policyPart is one part of the effective policy.
type policyPart struct {
	Name   string `json:"name" desc:"protection, interval, service_period, incrementals_per_full, retention, shorter_retention, floor or late_after"`
	Value  string `json:"value" desc:"in the notation of the configuration"`
	Source string `json:"source" desc:"the variable, the server metadata, or the default that it comes from"`
}

// policyOf tells the policy in force for a volume. The retention and the protection are what the newest plan
// remembered; the rest is read here as the scheduler reads it.
func policyOf(set backup.Settings, v db.Volume) []policyPart {
	parts := []policyPart{
		protection(set, v),
		{"interval", set.BackupMinInterval.String(), source("BACKUP_MIN_INTERVAL")},
		{"service_period", set.BackupServicePeriod.String(), source("BACKUP_SERVICE_PERIOD")},
		{"incrementals_per_full", strconv.Itoa(set.FullBackupDepth), source("FULL_BACKUP_DEPTH")},
		retention(set, v),
	}
	if v.Retention.Shorter != nil {
		parts = append(parts, shorter(set, v))
	}
	floor := policyPart{"floor", plural(set.MinRestorePoints, "restore point", "restore points"), source("MIN_RESTORE_POINTS")}
	if !v.Protected {
		floor.Value, floor.Source = "none", "only a protected volume has one: "+floor.Value+" by "+floor.Source
		return append(parts, floor)
	}
	return append(parts, floor, lateAfter(set))
}

// source tells whether a variable is set here or has its default.
func source(name string) string {
	name = prefix + "_" + name
	if _, set := os.LookupEnv(name); set {
		return name
	}
	return "default of " + name
}

// lateAfter tells the RPO.
func lateAfter(set backup.Settings) policyPart {
	from, grace := "interval", source("RPO_GRACE")
	if set.BackupServicePeriod > set.BackupMinInterval {
		from = "service period"
	}
	if set.RPOGrace == 0 {
		grace = "2 service periods + " + prefix + "_BACKUP_CYCLE_TIMEOUT (" + grace + ")"
	}
	return policyPart{"late_after", span(set.Late()), from + " + " + grace}
}

func protection(set backup.Settings, v db.Volume) policyPart {
	switch key := set.BackupMetadataKey; {
	case v.GoneAt != nil:
		return policyPart{"protection", "no", "the volume is gone"}
	case !v.Protected && (v.Status == "available" || key == ""):
		return policyPart{"protection", "no", "it is attached to no server"}
	case !v.Protected:
		return policyPart{"protection", "no", "no server that it is attached to has " + key + " = true"}
	case key == "":
		return policyPart{"protection", "yes", prefix + "_BACKUP_METADATA_KEY is empty: every server"}
	default:
		return policyPart{"protection", "yes", "metadata " + key + " = true of server " + or(v.ServerName, v.ServerID)}
	}
}

func retention(set backup.Settings, v db.Volume) policyPart {
	p := policyPart{"retention", v.Retention.InForce.String(), ""}
	switch {
	case v.Retention.InForce.IsZero():
		return policyPart{"retention", "none", "the volume was never protected"}
	case v.Retention.Source == backup.FromMetadata:
		p.Source = "metadata " + set.RetentionMetadataKey + " of server " + or(v.ServerName, v.ServerID)
		switch v.Retention.InForce {
		case set.RetentionMin:
			p.Source += ", the least that " + prefix + "_RETENTION_MIN allows"
		case set.RetentionMax:
			p.Source += ", the most that " + prefix + "_RETENTION_MAX allows"
		}
	case v.Retention.InForce != set.RetentionTime:
		p.Source = prefix + "_RETENTION_TIME of the scheduler's newest plan; here it is " + set.RetentionTime.String()
	default:
		p.Source = source("RETENTION_TIME")
	}
	if !v.Protected {
		p.Source = "the last known stays: " + p.Source
	}
	return p
}

func shorter(set backup.Settings, v db.Volume) policyPart {
	why := "asked for by metadata since " + clock(v.Retention.ShorterSince)
	if at, waits := holdingOf(set, v, nil).Shortened(); waits {
		why += ", in force from " + clock(at) + " on (" + source("RETENTION_SHORTEN_DELAY") + ")"
	} else {
		why += ", without effect while the volume is not protected"
	}
	return policyPart{"shorter_retention", v.Retention.Shorter.String(), why}
}
