package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

const (
	scenarioTimeout = 180 * time.Second
	enoughTime      = 65 * time.Second // after it one expired chain is enough
	workerAway      = 4 * time.Second  // how long the killed worker is away
)

// A step waits for a condition, does something, and returns a line about what happened.
type step struct {
	condition string // what it waits for
	met       func(*snapshot) bool
	do        func(context.Context, *snapshot) (string, error)
}

// scenario is what the demo does beside running Staffeln, step by step.
type scenario struct {
	environment *environment
	supervisor  *supervisor
	began       time.Time // by the database's clock
	steps       []step    // to come

	unlucky  string // the volume for which a response is lost
	adopted  string // the backup of the lost response
	killedAt time.Time
	killed   []string // backups in progress when the worker was killed
	chain    []string // the first chain that expired, full first
}

func newScenario(e *environment, s *supervisor) *scenario {
	c := &scenario{environment: e, supervisor: s, unlucky: e.volumes[1]}
	c.steps = []step{
		{"the first backup", func(now *snapshot) bool { return len(now.inProgress()) > 0 }, c.firstPlan},
		{"a volume that exceeds its quota", func(now *snapshot) bool { return c.refused(now) != nil }, c.showRefusal},
		{"a restore point of the tenant", tenantHasRestorePoint, c.tenantDeletes},
		{"a full backup of each other volume", c.allFull, c.loseResponse},
		{"a backup whose response is lost", func(now *snapshot) bool { return c.lost(now) != "" }, c.responseLost},
		{"the adoption of that backup", func(now *snapshot) bool { _, held := now.recordOf(c.adopted); return held }, c.backupAdopted},
		{"a moment with three backups in progress", func(now *snapshot) bool { return now.leases == 0 && len(now.inProgress()) >= 3 }, c.killWorker},
		{"the end of those backups", func(now *snapshot) bool { return c.allRecorded(now) && now.at.Sub(c.killedAt) >= workerAway }, c.restartWorker},
		{"an expired chain", func(now *snapshot) bool { return now.events(cloudsim.BackupDeletion) > 0 }, c.chainExpires},
		{"the removal of its last link", c.chainGone, c.chainRemoved},
		{"the removal of every first chain", func(now *snapshot) bool { return c.firstChains(now) == 0 || now.at.Sub(c.began) > enoughTime }, c.end},
	}
	return c
}

// advance does the steps whose condition is met and returns what happened; over reports whether none is left.
func (c *scenario) advance(ctx context.Context, now *snapshot) (events []string, over bool, err error) {
	if err := c.supervisor.fault(); err != nil {
		return nil, false, err
	}
	for len(c.steps) > 0 && c.steps[0].met(now) {
		line, err := c.steps[0].do(ctx, now)
		if err != nil {
			return events, false, err
		}
		events, c.steps = append(events, line), c.steps[1:]
	}
	if len(c.steps) > 0 && now.at.Sub(c.began) > scenarioTimeout {
		return events, false, fmt.Errorf("wait for %s: timeout after %s; see the logs in %s", c.steps[0].condition, scenarioTimeout, c.supervisor.folder)
	}
	return events, len(c.steps) == 0, nil
}

func (c *scenario) firstPlan(_ context.Context, now *snapshot) (string, error) {
	volumes := map[string]bool{}
	for _, r := range now.records {
		volumes[r.VolumeID] = true
	}
	return fmt.Sprintf("The leading scheduler planned a backup of each of %d volumes; the workers ask Cinder for them.", len(volumes)), nil
}

// refused returns the record of the volume that exceeds its project's quota.
func (c *scenario) refused(now *snapshot) *record {
	for _, r := range now.records {
		if r.Reason == backup.QuotaExceeded {
			return &r
		}
	}
	return nil
}

func (c *scenario) showRefusal(_ context.Context, now *snapshot) (string, error) {
	r := c.refused(now)
	text, _, _ := strings.Cut(r.ReasonText, " [req-")
	parts := strings.Split(text, ": ") // our call, its reason, the name of Cinder's fault, its message
	return fmt.Sprintf("%s failed: %s, the %s must take action. Cinder reports: %s", r.name(), r.Reason, r.Reason.Whose(), parts[len(parts)-1]), nil
}

// allFull reports whether every volume but the refused one has a restore point.
func (c *scenario) allFull(now *snapshot) bool {
	return now.count(backup.Available) >= len(c.environment.volumes)-1
}

func (c *scenario) loseResponse(_ context.Context, now *snapshot) (string, error) {
	c.environment.loseResponse(c.unlucky)
	return fmt.Sprintf("%d full backups; incrementals follow. Cinder's next response about %s will be lost.",
		now.count(backup.Available), now.of(c.unlucky)[0].name()), nil
}

// lost returns the backup that Cinder makes although its response was lost, or "" if there is none yet.
func (c *scenario) lost(now *snapshot) string { return lostResponses(now.journal)[c.unlucky] }

// lostResponses returns the backups for which the response to the creation was lost, by volume.
func lostResponses(journal []cloudsim.Event) map[string]string {
	struck, lost := map[string]bool{}, map[string]string{}
	for _, e := range journal {
		switch {
		case e.Kind == cloudsim.FaultFired && e.Detail == fmt.Sprintf("%s: %T", creationRoute, cloudsim.DropAfterEffect{}):
			struck[e.Volume] = true
		case e.Kind == cloudsim.BackupRequested && struck[e.Volume]:
			struck[e.Volume], lost[e.Volume] = false, e.Backup
		}
	}
	return lost
}

func (c *scenario) responseLost(_ context.Context, now *snapshot) (string, error) {
	c.adopted = c.lost(now)
	return fmt.Sprintf("The response was lost: Cinder makes backup %.8s, unknown to the worker. The request is not repeated.", c.adopted), nil
}

func (c *scenario) backupAdopted(_ context.Context, now *snapshot) (string, error) {
	r, _ := now.recordOf(c.adopted)
	return fmt.Sprintf("Found by its tag and adopted: backup %.8s is the %s of %s.", c.adopted, r.Kind, r.name()), nil
}

func (c *scenario) killWorker(_ context.Context, now *snapshot) (string, error) {
	worker := c.supervisor.named("worker-1")
	pid := worker.cmd.Process.Pid
	c.killedAt, c.killed = now.at, now.inProgress()
	if err := worker.kill(); err != nil {
		return "", fmt.Errorf("kill worker-1: %w", err)
	}
	return fmt.Sprintf("kill -9 %d: worker-1 is dead, with %d backups in progress.", pid, len(c.killed)), nil
}

// allRecorded reports whether the end of every backup that was in progress at the kill is recorded.
func (c *scenario) allRecorded(now *snapshot) bool { return c.recorded(now) == len(c.killed) }

func (c *scenario) recorded(now *snapshot) (n int) {
	for _, id := range c.killed {
		if r, held := now.recordOf(id); held && !r.State.InProgress() {
			n++
		}
	}
	return n
}

func (c *scenario) restartWorker(ctx context.Context, now *snapshot) (string, error) {
	worker := c.supervisor.named("worker-1")
	if err := c.supervisor.start(ctx, worker); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d of those %d are recorded without it: nothing was lost. worker-1 is back (process %d).", c.recorded(now), len(c.killed), worker.cmd.Process.Pid), nil
}

func (c *scenario) chainExpires(_ context.Context, now *snapshot) (string, error) {
	i := slices.IndexFunc(now.journal, func(e cloudsim.Event) bool { return e.Kind == cloudsim.BackupDeletion })
	deletion := now.journal[i]
	for _, r := range now.chains(deletion.Volume)[0] {
		c.chain = append(c.chain, r.BackupID)
	}
	leaf, held := now.recordOf(deletion.Backup)
	if !held {
		return "", errors.New("check the first removal: no record has its backup")
	}
	return fmt.Sprintf("The first chain of %s is older than its retention of %s: its newest link, an %s, is removed first.", leaf.name(), leaf.Retention, leaf.Kind), nil
}

// chainGone reports whether the whole first chain is recorded as deleted.
func (c *scenario) chainGone(now *snapshot) bool {
	for _, id := range c.chain {
		if r, held := now.recordOf(id); !held || r.State != backup.Deleted {
			return false
		}
	}
	return len(c.chain) > 0
}

func (c *scenario) chainRemoved(_ context.Context, now *snapshot) (string, error) {
	name, kinds := "", ""
	for _, e := range now.journal {
		if e.Kind == cloudsim.BackupDeleted && slices.Contains(c.chain, e.Backup) {
			r, _ := now.recordOf(e.Backup)
			name = r.name()
			kinds += fmt.Sprintf(", %s at %s", r.Kind, sinceStart(e.At.Sub(c.began)))
		}
	}
	return fmt.Sprintf("That chain of %s is gone, leaf first: %s.", name, kinds[2:]), nil
}

// firstChains returns the number of volumes whose first chain still exists.
func (c *scenario) firstChains(now *snapshot) (n int) {
	for _, v := range c.environment.volumes {
		chains := now.chains(v)
		if len(chains) > 0 && slices.ContainsFunc(chains[0], func(r record) bool { return r.State != backup.Deleted }) {
			n++
		}
	}
	return n
}

func (c *scenario) end(_ context.Context, now *snapshot) (string, error) {
	return fmt.Sprintf("%d backups removed so far. Schedulers and workers are stopped; the invariants are checked.", now.events(cloudsim.BackupDeleted)), nil
}

// sinceStart formats a time since the demo began.
func sinceStart(d time.Duration) string {
	d = d.Round(time.Second)
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}
