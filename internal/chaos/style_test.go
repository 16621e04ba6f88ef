package chaos

import (
	"context"
	"fmt"
	"time"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/tasks"
)

// A style is the mix of faults of one run: few kinds often find more than all kinds at once.
type style struct {
	faults      float64 // share of actors with a fault
	effects     []effect
	lostEnds    float64 // share of handlers whose result does not reach the queue
	tenants     float64 // share of steps in which a tenant does something
	outages     float64 // share of steps in which an outage begins or ends
	queueLosses float64
	takeovers   float64
	kills       float64
	stalls      float64 // share of steps in which an actor hangs while others do its work
	overtakes   float64 // share of steps in which others overtake a paused actor
	operators   float64 // share of steps in which an operator does something
	situations  float64 // share of steps in which a situation begins or ends
	aged        bool    // the run begins with some hours without faults
	lostViews   float64 // share of lists after which the turn sees a Cinder without backups
	steps       int
}

func (env *environment) chance(share float64) bool { return !env.calm && env.rng.Float64() < share }

// some returns a random one of the values.
func some[T any](env *environment, values ...T) T { return values[env.rng.IntN(len(values))] }

func (env *environment) drawStyle() style {
	kinds := []effect{refused, responseLost, odd, paused, diesFirst, diesAfter, drained}
	s := style{
		faults: some(env, 0, 0.2, 0.4, 0.7), stalls: some(env, 0, 0.05, 0.15), overtakes: some(env, 0.2, 0.5), operators: some(env, 0, 0.05),
		lostEnds: some(env, 0, 0, 0.1), tenants: some(env, 0, 0.1, 0.25), outages: some(env, 0, 0, 0.05, 0.1),
		queueLosses: some(env, 0, 0, 0.05), takeovers: some(env, 0, 0.03, 0.1), kills: some(env, 0, 0.02, 0.05), situations: some(env, 0, 0.1, 0.2), steps: 30 + env.rng.IntN(51),
	}
	if env.rng.IntN(10) == 0 {
		s.aged, s.lostViews = true, 0.5
	}
	for _, one := range kinds {
		if env.rng.IntN(2) == 0 {
			s.effects = append(s.effects, one)
		}
	}
	if len(s.effects) == 0 {
		s.effects = kinds
	}
	return s
}

// drawFault chooses the fault of an actor of that process.
func (env *environment) drawFault(p *process) fault {
	if !env.chance(env.style.faults) {
		return fault{}
	}
	f := fault{at: 1 + env.rng.IntN(14), what: env.style.effects[env.rng.IntN(len(env.style.effects))]} // as many calls as a handler makes
	switch of := some(env, each, near, near, writes); {
	case p.sched == nil && of == near:
		f.of, f.at = near, 1+env.rng.IntN(3)
	case p.sched != nil && of == each:
		f.at = 1 + env.rng.IntN(80)
	case p.sched != nil:
		f.of, f.at = of, 1+env.rng.IntN(10)
	}
	return f
}

func hours(n int) backup.Period { return backup.Period{Clock: time.Duration(n) * time.Hour} }

func minutes(n int) backup.Duration { return backup.Duration(time.Duration(n) * time.Minute) }

// drawSettings chooses an operator's settings.
func (env *environment) drawSettings() {
	s := &env.set
	s.BackupMinInterval = some(env, minutes(0), minutes(30), minutes(60), minutes(60))
	s.FullBackupDepth = some(env, 0, 1, 2, 2, 3)
	s.BackupCycleTimeout = some(env, minutes(30), minutes(60))
	s.StuckReset = some(env, false, true)
	s.MaxBackupsInProgress, s.MaxBackupsInProgressPerProject = some(env, 0, 1, 2, 15), some(env, 0, 1, 5)
	s.MaxRemovalsInProgress, s.MaxForcedFulls = some(env, 0, 1, 15), some(env, 0, 1, 5)
	s.MaxBackupsSlow = some(env, 0, 1, 10)
	s.RetentionTime, s.RetentionMin = some(env, hours(1), hours(2), hours(4)), backup.Period{}
	s.RetentionShortenDelay = some(env, minutes(0), minutes(30), minutes(60))
	s.MinRestorePoints = some(env, 0, 1, 1, 2)
	s.ProtectionGrace = some(env, minutes(0), minutes(60), minutes(180))
	s.ReconcilePeriod = some(env, minutes(30), minutes(60), minutes(120))
	if env.style.aged { // to have more restore points than a reconcile run records as lost at once
		s.BackupMinInterval, s.RetentionTime = minutes(30), hours(4)
	}
	s.HistoryTime = some(env, hours(8), backup.Period{Years: 1}, backup.Period{Years: 1})
}

// drawCloud chooses the options of the cloud.
func (env *environment) drawCloud() cloudsim.Options {
	env.backupTime = some(env, 20*time.Second, time.Minute, 4*time.Minute, 10*time.Minute)
	if s := env.set; s.MaxBackupsInProgress == 1 || s.MaxBackupsInProgressPerProject == 1 || s.MaxBackupsInProgress == 2 {
		env.backupTime = min(env.backupTime, time.Minute) // or they do not all fit into an interval
	}
	o := cloudsim.Options{
		Now: func() time.Time { return env.now }, Seed: env.seed + 1, TokenLife: 1000 * time.Hour,
		BackupTime: cloudsim.Fixed(env.backupTime), DeleteTime: cloudsim.Fixed(some(env, time.Second, 30*time.Second, 3*time.Minute)),
		RestoreTime: cloudsim.Fixed(some(env, time.Minute, 20*time.Minute)),
	}
	if env.rng.IntN(2) == 0 { // Cinder never notices that a volume is being backed up, so a request that it should refuse becomes visible
		o.RaceTwoPosts, o.RaceWindow = true, 10000*time.Hour
	}
	return o
}

// enqueueResult decides the result of one enqueue.
func (env *environment) enqueueResult(ctx context.Context, item tasks.Item) (done bool, err error) {
	a := actorOf(ctx)
	name := fmt.Sprintf("enqueue %s %s", item.Kind, item.VolumeID)
	what := a.decide(call{name: name, pausable: true})
	if env.queueAway && what == nothing {
		what = refused
	}
	env.trace("%s %d %s %s", a.name, a.calls, name, what)
	switch what {
	case refused:
		return false, errRefused
	case responseLost:
		return true, errResponseLost
	case diesFirst:
		return false, errDead
	case diesAfter:
		return true, errDead
	default:
		return true, nil
	}
}
