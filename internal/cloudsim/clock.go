package cloudsim

import (
	"container/heap"
	"time"
)

// job is something that happens by itself at a certain time.
type job struct {
	at  time.Time
	seq uint64
	do  func()
}

type jobHeap []job

func (h *jobHeap) Len() int      { return len(*h) }
func (h *jobHeap) Swap(i, j int) { (*h)[i], (*h)[j] = (*h)[j], (*h)[i] }
func (h *jobHeap) Push(x any)    { *h = append(*h, x.(job)) } //nolint:errcheck // container/heap returns what was pushed
func (h *jobHeap) Less(i, j int) bool {
	a, b := (*h)[i], (*h)[j]
	if a.at.Equal(b.at) {
		return a.seq < b.seq
	}
	return a.at.Before(b.at)
}

func (h *jobHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = job{}
	*h = old[:len(old)-1]
	return last
}

// after schedules do at d after the present time.
func (c *Cloud) after(d time.Duration, do func()) {
	c.seq++
	heap.Push(&c.jobs, job{at: c.at.Add(d), seq: c.seq, do: do})
}

// runDueJobs runs all jobs that are due. Each job sees its own time in c.at, not the present: a clock that jumps by a day gives
// the same timestamps as a running one.
func (c *Cloud) runDueJobs() {
	now := c.opt.Now()
	for len(c.jobs) > 0 && !c.jobs[0].at.After(now) {
		next, _ := heap.Pop(&c.jobs).(job)
		c.at = next.at
		next.do()
	}
	c.at = now
}

// lock locks the cloud for one call of the Go API and runs the due jobs.
func (c *Cloud) lock() {
	c.mu.Lock()
	c.runDueJobs()
}

// second returns the present in whole seconds, as Cinder's database stores it.
func (c *Cloud) second() time.Time { return c.at.UTC().Truncate(time.Second) }

// cinderSecond returns the present by Cinder's clock, which may be wrong.
func (c *Cloud) cinderSecond() time.Time { return c.second().Add(c.skew).Truncate(time.Second) }

const (
	cinderTime   = "2006-01-02T15:04:05.000000"
	novaTime     = "2006-01-02T15:04:05Z"
	keystoneTime = "2006-01-02T15:04:05.000000Z"
)

// stamp returns a time as Cinder writes it: UTC without a time zone. The zero time is null.
func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(cinderTime)
	return &s
}
