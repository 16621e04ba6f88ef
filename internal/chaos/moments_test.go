package chaos

// plans lets time pass to the next plan, and the leader make it.
func (w *world) plans() {
	w.pass(w.until(w.set.BackupServicePeriod))
	if p := w.leader(); p.free() {
		w.turn(p)
	}
}

// looks lets time pass to the next look for what is past its retention, and what follows from that be done.
func (w *world) looks() {
	w.pass(w.until(w.set.RetentionServicePeriod))
	if p := w.leader(); p.free() {
		w.turn(p)
	}
	for range 8 {
		pending, p := w.queue.Pending(), w.idle(w.workers)
		if len(pending) == 0 || p == nil {
			return
		}
		w.handle(p, pending[w.rng.IntN(len(pending))])
	}
}

// blinks lets one plan, or none, see a volume detached by Nova and by Cinder, which nobody asked for. Only where the plan
// before saw it attached.
func (w *world) blinks() *outage {
	v := w.still()
	if v == nil || !w.leader().free() {
		return nil
	}
	var attached bool
	w.must(w.place.hand.QueryRow(w.ctx, `SELECT EXISTS (SELECT FROM volumes WHERE id = $1 AND protected AND detached_plans = 0)`, v.id).Scan(&attached))
	if !attached {
		return nil
	}
	w.tell("situation: volume %s is attached to nothing for a moment", v.id)
	w.sim.Detach(v.server, v.id)
	w.plans()
	w.sim.Attach(v.server, v.id)
	w.tell("volume %s is attached again", v.id)
	w.looks()
	return nil
}

// stallsRole takes the role admin away for the moment in which a plan reads its lists, after it has asked for that role.
func (w *world) stallsRole() {
	if !w.leader().free() || w.broken("the role admin is lost") {
		return
	}
	w.pass(w.until(w.set.BackupServicePeriod))
	w.chosen = &fate{of: each, at: 3 + w.rng.IntN(3), what: paused}
	a := w.turn(w.leader())
	o := w.roleLost()
	w.tell("outage: %s for a moment", o.name)
	w.goesOn(a)
	o.mend()
	w.tell("mended: %s", o.name)
	w.looks()
}

// givesAway asks for another retention, and gives the volume to the other project then; mostly it comes back.
func (w *world) givesAway(v *volume) {
	if v.server == "" || !v.protected || !w.leader().free() {
		return
	}
	w.asksForRetentionOf(v, some(w, "1h", "6h", "6h"))
	w.plans()
	w.transfers(v)
	if w.rng.IntN(3) > 0 {
		w.plans()
		w.transfers(v)
	}
}

// comesFirst notes a project that a volume comes to, and tells whether it was never there before.
func (v *volume) comesFirst(project string) bool {
	first := !v.owners[project]
	v.owners[project] = true
	return first
}
