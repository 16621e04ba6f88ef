package chaos

// plans lets time pass to the next plan, and the leader make it.
func (env *environment) plans() {
	env.pass(env.until(env.set.BackupServicePeriod))
	if p := env.leader(); p.free() {
		env.turn(p)
	}
}

// looks lets time pass to the next look for what is past its retention, and what follows from that be done.
func (env *environment) looks() {
	env.pass(env.until(env.set.RetentionServicePeriod))
	if p := env.leader(); p.free() {
		env.turn(p)
	}
	for range 8 {
		pending, p := env.queue.Pending(), env.idle(env.workers)
		if len(pending) == 0 || p == nil {
			return
		}
		env.handle(p, pending[env.rng.IntN(len(pending))])
	}
}

// blinks lets one plan, or none, see a volume detached by Nova and by Cinder, which nobody asked for. Only where the plan
// before saw it attached.
func (env *environment) blinks() *outage {
	v := env.still()
	if v == nil || !env.leader().free() {
		return nil
	}
	var attached bool
	env.must(env.store.conn.QueryRow(env.ctx, `SELECT EXISTS (SELECT FROM volumes WHERE id = $1 AND protected AND detached_plans = 0)`, v.id).Scan(&attached))
	if !attached {
		return nil
	}
	env.trace("situation: volume %s is attached to nothing for a moment", v.id)
	env.sim.Detach(v.server, v.id)
	env.plans()
	env.sim.Attach(v.server, v.id)
	env.trace("volume %s is attached again", v.id)
	env.looks()
	return nil
}

// stallsRole takes the role admin away for the moment in which a plan reads its lists, after it has asked for that role.
func (env *environment) stallsRole() {
	if !env.leader().free() || env.broken("the role admin is lost") {
		return
	}
	env.pass(env.until(env.set.BackupServicePeriod))
	env.chosen = &fault{of: each, at: 3 + env.rng.IntN(3), what: paused}
	a := env.turn(env.leader())
	o := env.roleLost()
	env.trace("outage: %s for a moment", o.name)
	env.goesOn(a)
	o.fix()
	env.trace("fixed: %s", o.name)
	env.looks()
}

// givesAway asks for another retention, and gives the volume to the other project then; mostly it comes back.
func (env *environment) givesAway(v *volume) {
	if v.server == "" || !v.protected || !env.leader().free() {
		return
	}
	env.asksForRetentionOf(v, some(env, "1h", "6h", "6h"))
	env.plans()
	env.transfers(v)
	if env.rng.IntN(3) > 0 {
		env.plans()
		env.transfers(v)
	}
}

// comesFirst notes a project that a volume comes to, and reports whether it was never there before.
func (v *volume) comesFirst(project string) bool {
	first := !v.owners[project]
	v.owners[project] = true
	return first
}
