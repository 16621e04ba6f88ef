package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"staffeln/backup"
)

const (
	// tagMinor is Cinder's microversion from which backups have metadata, which carry our tag.
	tagMinor = 43
	// userMinor is the one from which Cinder shows who made a backup.
	userMinor = 56
	// clockBound is how far the clocks may differ. Adoption is refused from two hours on.
	clockBound = 30 * time.Second
)

func cloud(c CloudFacts) []Result {
	v := findings{check: "cloud"}
	if c.Fault != "" {
		v.add(Failing, "check OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and the cloud", "%s", c.Fault)
		return v.found
	}
	if !c.Admin {
		v.add(Failing, "give it the role admin in its own project", "the service user is not an admin: it sees the servers, volumes and backups of one project only")
	}
	switch {
	case c.Minor < tagMinor:
		v.add(Warning, "upgrade Cinder to Pike or later", "Cinder supports %s only: our tags are in descriptions, which tenants can change", c.Microversion)
	case c.Minor < userMinor:
		v.add(Warning, "upgrade Cinder to Train or later", "Cinder supports %s only and does not show who made a backup: only tags identify ours", c.Microversion)
	}
	if off := c.ClockOff.Abs(); off > clockBound {
		v.add(Warning, "synchronise both clocks by NTP", "Keystone's clock and the database's differ by %s", off.Round(time.Second))
	}
	services(&v, c)
	if c.NovaFault != "" {
		v.add(Failing, "check Nova's API and its endpoint in Keystone's catalogue; no backup of a new protected server begins until then, and no protection ends", "%s", c.NovaFault)
	}
	for _, user := range slices.Sorted(maps.Keys(c.OtherMakers)) {
		v.add(Failing, "run all processes with the same credentials, and remove the other user's backups manually",
			"%d backups with our tag were made by user %s: they count as foreign and are never removed", c.OtherMakers[user], user)
	}
	return v.orOK("Cinder %s, admin, Nova lists servers, cinder-backup is up in every availability zone that has one", c.Microversion)
}

func services(v *findings, c CloudFacts) {
	if c.ServicesFault != "" {
		v.add(Unknown, "", "cinder-backup's services could not be listed: %s", c.ServicesFault)
		return
	}
	outage := backup.OutageOf(c.Services, nil)
	switch {
	case len(c.Services) == 0:
		v.add(Failing, "start one", "Cinder lists no cinder-backup service")
	case outage.All:
		v.add(Failing, "start one; all backups are held back until then", "no cinder-backup service is up")
	default:
		for _, zone := range slices.Sorted(maps.Keys(outage.Zones)) {
			v.add(Failing, "start one; backups of the volumes that it serves (see STAFFELN_BACKUP_ZONES) are held back until then", "no cinder-backup service is up in availability zone %s", zone)
		}
		for _, s := range c.Services {
			if !s.Up && !outage.Zones[s.Zone] {
				v.add(Warning, "start it, or remove it from Cinder", "cinder-backup on %s (availability zone %s) is down; others in the zone are up", s.Host, s.Zone)
			}
		}
	}
}

// full is the share of a quota from which the next backups may not fit.
const full = 0.9

func projects(f Facts) []Result {
	v := findings{check: "projects"}
	if v.unread(f) {
		return v.found
	}
	if f.Cloud.Fault != "" {
		v.add(Unknown, "fix the cloud, then run doctor again", "the cloud can't be read")
		return v.found
	}
	for _, p := range f.Projects {
		name := cmp.Or(p.Name, p.ID)
		if p.Fault != "" {
			v.add(Failing, "give the service user an inherited role on the domain; for a project that is gone run `staffeln purge-project`", "project %s: %s", name, p.Fault)
			continue
		}
		for what, q := range map[string]backup.Quota{"backups": p.Backups, "gigabytes of backups": p.Gigabytes} {
			switch {
			case q.Limit < 0 || q.Used() < q.Limit && float64(q.Used()) < full*float64(q.Limit):
			case q.Used() >= q.Limit:
				v.add(Failing, "raise it, or ask the tenant to remove backups", "project %s: its quota of %s is used up (%d of %d); its next backups fail", name, what, q.Used(), q.Limit)
			default:
				v.add(Warning, "raise it soon", "project %s: its quota of %s is nearly used up (%d of %d)", name, what, q.Used(), q.Limit)
			}
		}
		if p.Encrypted > 0 && !p.SecretRight {
			v.add(Warning, "give the service user one of STAFFELN_OPENSTACK_SECRET_ROLES there", "project %s: %d protected volumes are encrypted, and none of our roles gives the right to their secrets: their backups can't be removed", name, p.Encrypted)
		}
	}
	slices.SortStableFunc(v.found, func(a, b Result) int { return cmp.Compare(a.Text, b.Text) })
	return append(v.orOK("a token and free quota in each of the %d projects with protected volumes", len(f.Projects)), secrets(f)...)
}

// secrets names who can make backups unreadable without Cinder noticing: Barbican does not show its policy.
func secrets(f Facts) []Result {
	encrypted := 0
	for _, p := range f.Projects {
		encrypted += p.Encrypted
	}
	if encrypted == 0 {
		return nil
	}
	return []Result{{"projects", OK, fmt.Sprintf(
		"%d protected volumes are encrypted: anyone who may delete secrets there (secret:delete in Barbican's policy, which can't be checked from here) can make their backups useless; reconcile reports it (secret_gone)",
		encrypted), ""}}
}
