package chaos

// nextPlan lets time pass until the next plan is due, and runs the leader.
func (env *environment) nextPlan() {
	env.advance(env.until(env.set.BackupServicePeriod))
	if p := env.leader(); p.free() {
		env.turn(p)
	}
}

// nextRetention lets time pass until the next retention run is due, and runs the leader and the tasks that follow.
func (env *environment) nextRetention() {
	env.advance(env.until(env.set.RetentionServicePeriod))
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

// detachBriefly detaches a volume in Nova and Cinder, although no tenant wants that, for at most one plan. The plan before
// must have seen the volume attached.
func (env *environment) detachBriefly() *outage {
	v := env.unaffected()
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
	env.nextPlan()
	env.sim.Attach(v.server, v.id)
	env.trace("volume %s is attached again", v.id)
	env.nextRetention()
	return nil
}

// loseRoleDuringPlan takes the role admin away after a plan has checked it, and gives it back when the plan has read its
// lists.
func (env *environment) loseRoleDuringPlan() {
	if !env.leader().free() || env.broken("the role admin is lost") {
		return
	}
	env.advance(env.until(env.set.BackupServicePeriod))
	env.nextFault = &fault{of: each, at: 3 + env.rng.IntN(3), what: paused}
	a := env.turn(env.leader())
	o := env.roleLost()
	env.trace("outage: %s for a moment", o.name)
	env.continueActor(a)
	o.fix()
	env.trace("fixed: %s", o.name)
	env.nextRetention()
}

// shortenAndTransfer requests another retention and then transfers the volume to the other project; mostly the volume is
// transferred back.
func (env *environment) shortenAndTransfer(v *volume) {
	if v.server == "" || !v.protected || !env.leader().free() {
		return
	}
	env.setRetention(v, some(env, "1h", "6h", "6h"))
	env.nextPlan()
	env.transfer(v)
	if env.rng.IntN(3) > 0 {
		env.nextPlan()
		env.transfer(v)
	}
}

// firstIn notes the volume's new project, and reports whether the volume was never there before.
func (v *volume) firstIn(project string) bool {
	first := !v.owners[project]
	v.owners[project] = true
	return first
}
