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
	storyLimit = 180 * time.Second // then what is waited for does not come
	storyTime  = 65 * time.Second  // after it one expired chain is enough
	alone      = 4 * time.Second   // how long the killed worker stays away
)

// An act is one scene: it waits for what is seen, does something to the world, and tells what happened.
type act struct {
	waits string // what it waits for
	when  func(*sight) bool
	do    func(context.Context, *sight) (string, error)
}

// story is what happens in the demo beside the program's own doing, in its order.
type story struct {
	world *demoWorld
	house *household
	began time.Time // by the database's clock
	acts  []act

	unlucky  string // the volume whose answer is lost
	adopted  string // its backup
	killedAt time.Time
	killed   []string // backups in progress when the worker was killed
	chain    []string // the first chain that expired, full first
}

func newStory(w *demoWorld, h *household) *story {
	s := &story{world: w, house: h, unlucky: w.volumes[1]}
	s.acts = []act{
		{"the first backup", func(l *sight) bool { return len(l.inProgress()) > 0 }, s.firstPlan},
		{"a volume that its quota has no room for", func(l *sight) bool { return s.refused(l) != nil }, s.tellRefusal},
		{"a restore point of the tenant's", tenantHas, s.tenantDeletes},
		{"a full backup of each other volume", s.allFull, s.afterFulls},
		{"a backup whose answer is lost", func(l *sight) bool { return s.lost(l) != "" }, s.afterLoss},
		{"the adoption of that backup", func(l *sight) bool { _, held := l.holder(s.adopted); return held }, s.afterAdoption},
		{"a moment with three backups in progress", func(l *sight) bool { return l.leases == 0 && len(l.inProgress()) >= 3 }, s.killWorker},
		{"the end of those backups", func(l *sight) bool { return s.settled(l) && l.now.Sub(s.killedAt) >= alone }, s.restartWorker},
		{"an expired chain", func(l *sight) bool { return l.events(cloudsim.BackupDeletion) > 0 }, s.firstExpiry},
		{"its last link's removal", func(l *sight) bool { return s.gone(l) }, s.afterExpiry},
		{"the removal of every first chain", func(l *sight) bool { return s.oldChains(l) == 0 || l.now.Sub(s.began) > storyTime }, s.end},
	}
	return s
}

// step plays the acts whose time has come and answers what there is to tell; over says that it was the last one.
func (s *story) step(ctx context.Context, l *sight) (told []string, over bool, err error) {
	if err := s.house.fault(); err != nil {
		return nil, false, err
	}
	for len(s.acts) > 0 && s.acts[0].when(l) {
		line, err := s.acts[0].do(ctx, l)
		if err != nil {
			return told, false, err
		}
		told, s.acts = append(told, line), s.acts[1:]
	}
	if len(s.acts) > 0 && l.now.Sub(s.began) > storyLimit {
		return told, false, fmt.Errorf("wait for %s: it did not come within %s; look into the logs in %s", s.acts[0].waits, storyLimit, s.house.folder)
	}
	return told, len(s.acts) == 0, nil
}

func (s *story) firstPlan(_ context.Context, l *sight) (string, error) {
	volumes := map[string]bool{}
	for _, r := range l.records {
		volumes[r.VolumeID] = true
	}
	return fmt.Sprintf("The leading scheduler planned a backup of each of %d volumes; the workers ask Cinder for them.", len(volumes)), nil
}

// refused is the record of the volume that is too large for its project's quota.
func (s *story) refused(l *sight) *demoRecord {
	for _, r := range l.records {
		if r.Reason == backup.QuotaExceeded {
			return &r
		}
	}
	return nil
}

func (s *story) tellRefusal(_ context.Context, l *sight) (string, error) {
	r := s.refused(l)
	said, _, _ := strings.Cut(r.ReasonText, " [req-") // of the request
	parts := strings.Split(said, ": ")                // the call, its code, Cinder's name of the fault, and its words
	return fmt.Sprintf("%s failed: %s, the %s must act. Cinder says: %s", r.name(), r.Reason, r.Reason.Whose(), parts[len(parts)-1]), nil
}

// allFull tells whether every volume but the refused one has a restore point.
func (s *story) allFull(l *sight) bool { return l.count(backup.Available) >= len(s.world.volumes)-1 }

func (s *story) afterFulls(_ context.Context, l *sight) (string, error) {
	s.world.loseAnswer(s.unlucky)
	return fmt.Sprintf("%d full backups; incrementals follow. Cinder's next answer about %s will be lost on its way.",
		l.count(backup.Available), l.of(s.unlucky)[0].name()), nil
}

// lost is the backup that Cinder makes although its answer never arrived; empty where there is none yet.
func (s *story) lost(l *sight) string { return lostAnswers(l.journal)[s.unlucky] }

// lostAnswers are the backups whose creation's answer was lost on its way, by volume.
func lostAnswers(journal []cloudsim.Event) map[string]string {
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

func (s *story) afterLoss(_ context.Context, l *sight) (string, error) {
	s.adopted = s.lost(l)
	return fmt.Sprintf("The answer was lost: Cinder makes backup %.8s, and the worker does not know it. It is not asked for twice.", s.adopted), nil
}

func (s *story) afterAdoption(_ context.Context, l *sight) (string, error) {
	r, _ := l.holder(s.adopted)
	return fmt.Sprintf("Found by its tag and adopted: backup %.8s is the %s of %s.", s.adopted, r.Kind, r.name()), nil
}

func (s *story) killWorker(_ context.Context, l *sight) (string, error) {
	victim := s.house.named("worker-1")
	pid := victim.cmd.Process.Pid
	s.killedAt, s.killed = l.now, l.inProgress()
	if err := victim.kill(); err != nil {
		return "", fmt.Errorf("kill worker-1: %w", err)
	}
	return fmt.Sprintf("kill -9 %d: worker-1 is dead, with %d backups in progress.", pid, len(s.killed)), nil
}

// settled tells whether the records know the end of every backup that was in progress at the kill.
func (s *story) settled(l *sight) bool { return s.recorded(l) == len(s.killed) }

func (s *story) recorded(l *sight) (n int) {
	for _, id := range s.killed {
		if r, held := l.holder(id); held && !r.State.InProgress() {
			n++
		}
	}
	return n
}

func (s *story) restartWorker(ctx context.Context, l *sight) (string, error) {
	m := s.house.named("worker-1")
	if err := s.house.start(ctx, m); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d of those %d are recorded without it: nothing was lost. worker-1 is back (process %d).", s.recorded(l), len(s.killed), m.cmd.Process.Pid), nil
}

func (s *story) firstExpiry(_ context.Context, l *sight) (string, error) {
	i := slices.IndexFunc(l.journal, func(e cloudsim.Event) bool { return e.Kind == cloudsim.BackupDeletion })
	asked := l.journal[i]
	for _, r := range l.chains(asked.Volume)[0] {
		s.chain = append(s.chain, r.BackupID)
	}
	leaf, held := l.holder(asked.Backup)
	if !held {
		return "", errors.New("look at the first removal: no record holds its backup")
	}
	return fmt.Sprintf("The first chain of %s is older than its retention of %s: its newest link, an %s, goes first.", leaf.name(), leaf.Retention, leaf.Kind), nil
}

// gone tells whether the records know that the whole first chain is gone.
func (s *story) gone(l *sight) bool {
	for _, id := range s.chain {
		if r, held := l.holder(id); !held || r.State != backup.Deleted {
			return false
		}
	}
	return len(s.chain) > 0
}

func (s *story) afterExpiry(_ context.Context, l *sight) (string, error) {
	name, kinds := "", ""
	for _, e := range l.journal {
		if e.Kind == cloudsim.BackupDeleted && slices.Contains(s.chain, e.Backup) {
			r, _ := l.holder(e.Backup)
			name = r.name()
			kinds += fmt.Sprintf(", %s at %s", r.Kind, sinceStart(e.At.Sub(s.began)))
		}
	}
	return fmt.Sprintf("That chain of %s is gone, leaf first: %s.", name, kinds[2:]), nil
}

// oldChains counts the volumes whose first chain is not gone yet.
func (s *story) oldChains(l *sight) (n int) {
	for _, v := range s.world.volumes {
		chains := l.chains(v)
		if len(chains) > 0 && slices.ContainsFunc(chains[0], func(r demoRecord) bool { return r.State != backup.Deleted }) {
			n++
		}
	}
	return n
}

func (s *story) end(_ context.Context, l *sight) (string, error) {
	return fmt.Sprintf("%d backups removed so far. Schedulers and workers are asked to end; the laws are checked.", l.events(cloudsim.BackupDeleted)), nil
}

// sinceStart writes a time since the demo began.
func sinceStart(d time.Duration) string {
	d = d.Round(time.Second)
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}
