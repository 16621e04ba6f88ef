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
	// userMinor is the one from which Cinder tells who made a backup.
	userMinor = 56
	// clockBound is how far the clocks may differ: adoption is refused from two hours on, and ages are read by people.
	clockBound = 30 * time.Second
)

func cloud(c Cloud) []Finding {
	v := verdicts{check: "cloud"}
	if c.Fault != "" {
		v.say(Failing, "mend the OS_* variables or the cloud", "%s", c.Fault)
		return v.found
	}
	if !c.Admin {
		v.say(Failing, "give it the role admin in its own project", "the service user is no admin: it sees one project's servers, volumes and backups only")
	}
	switch {
	case c.Minor < tagMinor:
		v.say(Warning, "upgrade Cinder to Pike or later", "Cinder knows %s: our tags stand in descriptions, which tenants may change", c.Microversion)
	case c.Minor < userMinor:
		v.say(Warning, "upgrade Cinder to Train or later", "Cinder knows %s and does not tell who made a backup: tags alone have to do", c.Microversion)
	}
	if off := c.ClockOff.Abs(); off > clockBound {
		v.say(Warning, "let NTP set both clocks", "Keystone's clock and the database's differ by %s", off.Round(time.Second))
	}
	services(&v, c)
	for _, user := range slices.Sorted(maps.Keys(c.OtherMakers)) {
		v.say(Failing, "run all processes with the same credentials, and take care of the other user's backups by hand",
			"%d backups with our tag were made by user %s: they are foreign to us and nothing removes them", c.OtherMakers[user], user)
	}
	return v.or("Cinder %s, admin, cinder-backup is up in every zone", c.Microversion)
}

func services(v *verdicts, c Cloud) {
	if c.ServicesFault != "" {
		v.say(Unknown, "", "cinder-backup's services could not be listed: %s", c.ServicesFault)
		return
	}
	outage := backup.OutageOf(c.Services, nil)
	switch {
	case len(c.Services) == 0:
		v.say(Failing, "start one", "Cinder knows no cinder-backup")
	case outage.All:
		v.say(Failing, "start one: until then all backups wait", "no cinder-backup is up")
	default:
		for _, zone := range slices.Sorted(maps.Keys(outage.Zones)) {
			v.say(Failing, "start one: until then the backups of its volumes wait", "no cinder-backup is up in zone %s", zone)
		}
		for _, s := range c.Services {
			if !s.Up && !outage.Zones[s.Zone] {
				v.say(Warning, "start it, or remove it from Cinder", "cinder-backup on %s (zone %s) is down; others in the zone are up", s.Host, s.Zone)
			}
		}
	}
}

// full is the share of a quota from which the next backups may not fit.
const full = 0.9

func projects(f Facts) []Finding {
	v := verdicts{check: "projects"}
	if v.unread(f) {
		return v.found
	}
	if f.Cloud.Fault != "" {
		v.say(Unknown, "mend the cloud, then look again", "the cloud can't be read")
		return v.found
	}
	for _, p := range f.Projects {
		name := cmp.Or(p.Name, p.ID)
		if p.Fault != "" {
			v.say(Failing, "give the service user an inherited role on the domain; a project that is gone: `staffeln purge-project`", "project %s: %s", name, p.Fault)
			continue
		}
		for what, q := range map[string]backup.Quota{"backups": p.Backups, "gigabytes of backups": p.Gigabytes} {
			switch {
			case q.Limit < 0 || q.Used() < q.Limit && float64(q.Used()) < full*float64(q.Limit):
			case q.Used() >= q.Limit:
				v.say(Failing, "raise it, or have the tenant remove backups", "project %s: its quota of %s is used up (%d of %d): its next backups fail", name, what, q.Used(), q.Limit)
			default:
				v.say(Warning, "raise it in time", "project %s: its quota of %s is nearly used up (%d of %d)", name, what, q.Used(), q.Limit)
			}
		}
		if p.Encrypted > 0 && !p.SecretRight {
			v.say(Warning, "give the service user one of STAFFELN_OPENSTACK_SECRET_ROLES there", "project %s: %d protected volumes are encrypted, and our roles show no right to their secrets: their backups can't be removed", name, p.Encrypted)
		}
	}
	slices.SortStableFunc(v.found, func(a, b Finding) int { return cmp.Compare(a.Text, b.Text) })
	return append(v.or("a token and room in the quota in each of the %d with protected volumes", len(f.Projects)), secrets(f)...)
}

// secrets says who can make backups unreadable without Cinder's knowledge: Barbican
// shows nobody its policy.
func secrets(f Facts) []Finding {
	encrypted := 0
	for _, p := range f.Projects {
		encrypted += p.Encrypted
	}
	if encrypted == 0 {
		return nil
	}
	return []Finding{{"projects", OK, fmt.Sprintf(
		"%d protected volumes are encrypted: whoever may delete secrets there (secret:delete in Barbican's policy, which can't be seen from here) can make their backups useless; the next sweep tells it (secret_gone)",
		encrypted), ""}}
}
