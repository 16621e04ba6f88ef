package cloudsim

import "slices"

// operations are what one cinder-backup does at once, where it limits that, and what waits for a turn, in the order it came.
type operations struct {
	running int
	waiting []waiting
}

type waiting struct {
	r     *run
	alive func() bool
	start func()
}

// operate starts an operation of the service in that zone, or lets it wait: it is creating or restoring already.
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
		w.r.turn = o
		w.start()
	}
}

// ended gives the turn of a run to the next that waits.
func (c *Cloud) ended(r *run) {
	if r == nil || r.turn == nil {
		return
	}
	o := r.turn
	r.turn = nil
	o.running--
	c.nextOperation(o)
}

// serviceZone is where the scheduler looks for a cinder-backup. Zed goes by the zone of the volume alone, whatever was asked for.
func (c *Cloud) serviceZone(b *backup, v *volume) string {
	if c.later() {
		return or(b.Zone, v.Zone)
	}
	return v.Zone
}

// served tells whether there is a cinder-backup in the zone; nobody has said where they are: everywhere.
func (c *Cloud) served(zone string) bool {
	return len(c.zones) == 0 || slices.Contains(c.zones, zone)
}

const noService = "Service not found for creating backup."

// unserved ends a creation for which the scheduler found no cinder-backup.
func (c *Cloud) unserved(b *backup, r *run) {
	if b.making != r {
		return
	}
	c.failRun(b, r, noService, false)
	c.tell(b.Project, b.ID, "VOLUME_VOLUME_BACKUP_013_024", "create backup:Backup failed to schedule. "+noService)
}

// SetBackupZones says in which zones a cinder-backup runs; without any, the one of the beginning serves all. In Zed a volume is
// served by its own zone's; later by the zone that the creation asks for, and its own when it asks for none.
func (c *Cloud) SetBackupZones(zones ...string) {
	c.lock()
	defer c.mu.Unlock()
	c.zones = append([]string(nil), zones...)
	c.note(Event{Kind: ServiceChanged, Detail: "zones of cinder-backup: " + itoa(len(zones))})
}

// FailIncrementals accepts incrementals of a volume that fail at their end for this reason, while fulls go well; empty ends it.
// Cinder's own: "Can't find snapshot from parent ..." (Ceph), "Invalid backup: Hash block size has changed since the last backup.
// ... Do a full backup." (chunked drivers).
func (c *Cloud) FailIncrementals(volumeID, reason string) {
	c.lock()
	defer c.mu.Unlock()
	must(c.volumes.byID, "volume", volumeID).failing = reason
}
