package db

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"staffeln/backup"
)

// requested is a record with one request, an hour ago.
var requested = row{
	"state": "creating", "requested_at": base.Add(-hour), "last_requested_at": base.Add(-hour), "deadline": base.Add(5 * hour), "attempts": 1,
	"admitted_at": base.Add(-hour), "backup_name": "web_disk_1", "reason": "throttled", "reason_text": "slow", "cloud_request_id": "req-1",
}

var (
	leftover = requested.with(row{"backup_id": "b", "ended_at": base.Add(-hour)})
	ended    = row{"ended_at": base.Add(-hour), "reason": "not_protected"}
	removing = row{"deletion_requested_at": base.Add(-hour), "removal_reason": "expired"}
)

// shapes has all the shapes that a record can have; some states have several.
var shapes = map[string]row{
	"planned":           {"state": "planned", "admitted_at": base.Add(-hour)},
	"resting":           requested.with(row{"next_try_at": base}),
	"asked":             requested.with(row{"unanswered_request_at": base.Add(-hour)}),
	"creating":          requested.with(row{"backup_id": "b", "cinder_status": "creating"}),
	"overdue":           requested.with(row{"backup_id": "b", "state": "overdue"}),
	"available":         point("b", hour),
	"deleting":          point("b", hour).with(removing).with(row{"state": "deleting"}),
	"leftover deleting": leftover.with(removing).with(row{"state": "deleting"}),
	"undeletable":       point("b", hour).with(removing).with(row{"state": "undeletable", "next_try_at": base}),
	"failed":            requested.with(ended).with(row{"state": "failed"}),
	"leftover":          leftover.with(row{"state": "failed"}),
	"lost":              point("b", hour).with(row{"state": "lost"}),
	"deleted":           point("b", hour).with(removing).with(row{"state": "deleted"}),
	"withdrawn":         ended.with(row{"state": "withdrawn"}),
}

func stateOf(shape string) backup.State { return backup.State(fmt.Sprint(shapes[shape]["state"])) }

func shapeNames() []string { return slices.Sorted(maps.Keys(shapes)) }

// shaped writes a record r of the volume v in the given shape, and other records that must not change.
func (h *harness) shaped(shape string) (*Lease, backup.Record) {
	h.t.Helper()
	h.volume("v", nil)
	h.volume("other", nil)
	h.record("elder", point("b-elder", 24*hour))
	h.record("stranger", point("b-stranger", hour).with(row{"volume_id": "other"}))
	r := h.record("r", shapes[shape])
	return h.lease("v"), r
}

var (
	later = base.Add(30 * time.Second)
	why   = Why{Reason: backup.QuotaExceeded, Text: "quota", RequestID: "req-2"}
	made  = backup.Backup{ID: "b", SizeGiB: 12, Incremental: true, DataTimestamp: base.Add(-2 * hour), CreatedAt: base.Add(-hour), UpdatedAt: base.Add(-30 * time.Minute)}
)

type moveFunc func(*harness, *Lease, backup.Record) (backup.Record, error)

// moves has all methods that change one record while the lease is held.
var moves = map[string]moveFunc{
	"StartCreation": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) {
		return c.StartCreation(h.ctx, r, backup.Incremental, "web_disk_2", 6*hour)
	},
	"Accept": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) { return c.Accept(h.ctx, r, "b2") },
	"NotAccepted": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) {
		return c.NotAccepted(h.ctx, r, why, later)
	},
	"Unanswered": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) {
		return c.Unanswered(h.ctx, r, why, later)
	},
	"Later": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) {
		return c.Later(h.ctx, r, "odd", later)
	},
	"Finish": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) {
		return c.Finish(h.ctx, r, made, hour)
	},
	"Fail": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) { return c.Fail(h.ctx, r, why) },
	"FailSeen": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) {
		return c.FailSeen(h.ctx, r, made, why)
	},
	"FailGone": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) { return c.FailGone(h.ctx, r, why) },
	"Withdraw": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) { return c.Withdraw(h.ctx, r, why) },
	"PassDeadline": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) {
		return c.PassDeadline(h.ctx, r, why, later)
	},
	"StartRemoval": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) {
		return c.StartRemoval(h.ctx, r, backup.RetentionOver)
	},
	"Removed": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) { return c.Removed(h.ctx, r) },
	"RefuseRemoval": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) {
		return c.RefuseRemoval(h.ctx, r, why, later)
	},
	"Hold": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) {
		return c.Hold(h.ctx, r, backup.ForeignDependent)
	},
	"TakeBack": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) {
		return c.TakeBack(h.ctx, r, backup.Young)
	},
	"Repair": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) {
		return c.Repair(h.ctx, r, backup.Force, why, later)
	},
	"NotRepaired": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) {
		at := base.Add(-2 * hour)
		return c.NotRepaired(h.ctx, r, backup.Record{Repair: backup.Force, RepairedAt: &at}, later)
	},
	"GiveUpRemoval": func(h *harness, c *Lease, r backup.Record) (backup.Record, error) {
		return c.GiveUpRemoval(h.ctx, r, why, later)
	},
}
