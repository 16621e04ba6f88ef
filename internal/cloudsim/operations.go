package cloudsim

import "slices"

// operations are the operations in progress of one cinder-backup with a limit, and the queue of waiting ones in order of arrival.
type operations struct {
	running int
	waiting []waiting
}

type waiting struct {
	r     *run
	alive func() bool
	start func()
}

// operate starts an operation of the cinder-backup in that zone, or queues it. Its backup already is in creating or restoring.
func (c *Cloud) operate(zone string, r *run, alive func() bool, start func()) {
	most := c.opt.BackupMaxOperations
	if most <= 0 {
		start()
		return
	}
	o := c.operations[zone]
	if o == nil {
		o = &operations{}
		c.operations[zone] = o
	}
	o.waiting = append(o.waiting, waiting{r, alive, start})
	c.nextOperation(o)
}

func (c *Cloud) nextOperation(o *operations) {
	for len(o.waiting) > 0 && o.running < c.opt.BackupMaxOperations {
		w := o.waiting[0]
		o.waiting = o.waiting[1:]
		if !w.alive() {
			continue
		}
		o.running++
		w.r.slot = o
		w.start()
	}
}

// ended gives the slot of a run to the next operation in the queue.
func (c *Cloud) ended(r *run) {
	if r == nil || r.slot == nil {
		return
	}
	o := r.slot
	r.slot = nil
	o.running--
	c.nextOperation(o)
}

// serviceZone returns the zone in which the scheduler searches for a cinder-backup. Zed always uses the volume's zone and
// ignores the requested one.
func (c *Cloud) serviceZone(b *backup, v *volume) string {
	if c.newerThanZed() {
		return or(b.Zone, v.Zone)
	}
	return v.Zone
}

// served reports whether the zone has a cinder-backup. If no zones are set, every zone has one.
func (c *Cloud) served(zone string) bool {
	return len(c.zones) == 0 || slices.Contains(c.zones, zone)
}

const noService = "Service not found for creating backup."

// failUnserved ends a creation for which the scheduler found no cinder-backup.
func (c *Cloud) failUnserved(b *backup, r *run) {
	if b.making != r {
		return
	}
	c.failRun(b, r, noService, false)
	c.addMessage(b.Project, b.ID, "VOLUME_VOLUME_BACKUP_013_024", "create backup:Backup failed to schedule. "+noService)
}

// SetBackupZones sets the zones in which a cinder-backup runs; without arguments one serves all zones. In Zed a volume is served
// in its own zone; later releases use the zone that the creation requests, or the volume's own if it requests none.
func (c *Cloud) SetBackupZones(zones ...string) {
	c.lock()
	defer c.mu.Unlock()
	c.zones = append([]string(nil), zones...)
	c.note(Event{Kind: ServiceChanged, Detail: "zones of cinder-backup: " + itoa(len(zones))})
}

// FailIncrementals makes incrementals of a volume fail at their end for this reason, while fulls succeed; empty ends it.
// Cinder's own reasons: "Can't find snapshot from parent ..." (Ceph), "Invalid backup: Hash block size has changed since the
// last backup. ... Do a full backup." (chunked drivers).
func (c *Cloud) FailIncrementals(volumeID, reason string) {
	c.lock()
	defer c.mu.Unlock()
	mustFind(c.volumes.byID, "volume", volumeID).failing = reason
}
