package cloudsim

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"
)

// effects are the faults that apply to one request.
type effects struct {
	refuse                *Refuse
	stalls, stallsAfter   []stall
	dropBefore, dropAfter bool
	garbage, half         bool
	later                 *ExecuteLater
	stick, full           bool
	fail                  *FailLater
	pending               <-chan struct{}
}

type stall struct {
	forTime  time.Duration
	released <-chan struct{}
}

func (f Refuse) addTo(e *effects) { e.refuse = &f }
func (f Stall) addTo(e *effects)  { e.stalls = append(e.stalls, stall{f.For, e.pending}) }
func (f StallAfterEffect) addTo(e *effects) {
	e.stallsAfter = append(e.stallsAfter, stall{f.For, e.pending})
}
func (DropBefore) addTo(e *effects)      { e.dropBefore = true }
func (DropAfterEffect) addTo(e *effects) { e.dropAfter = true }
func (GarbageBody) addTo(e *effects)     { e.garbage = true }
func (HalfBody) addTo(e *effects)        { e.half = true }
func (f ExecuteLater) addTo(e *effects)  { e.later = &f }
func (Stick) addTo(e *effects)           { e.stick = true }
func (MakeFull) addTo(e *effects)        { e.full = true }
func (f FailLater) addTo(e *effects)     { e.fail = &f }

// before applies the faults before the request is executed. It returns false if the request ends there.
func (e effects) before(ctx context.Context) bool { return hold(ctx, e.stalls) && !e.dropBefore }

// hold waits for the stalls to end. It returns false if the client gave up.
func hold(ctx context.Context, stalls []stall) bool {
	for _, s := range stalls {
		var timeUp <-chan time.Time
		if s.forTime > 0 {
			timeUp = time.After(s.forTime)
		}
		select {
		case <-ctx.Done():
			return false
		case <-s.released:
		case <-timeUp:
		}
	}
	return true
}

// write sends the response, or the part of it that a fault leaves.
func (e effects) write(w http.ResponseWriter, a response) {
	switch {
	case e.dropAfter, e.later != nil && e.refuse == nil && a.status == 0:
		panic(http.ErrAbortHandler)
	case e.garbage:
		a.raw = "<html><body>" + strings.Repeat("gateway ", 8) + "</body></html>"
	case e.half:
		w.Header().Set("Content-Length", itoa(len(a.raw)))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.raw[:len(a.raw)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	a.write(w)
}

func (f Refuse) response() response {
	a := response{status: f.Status, header: f.Header.Clone(), raw: f.Body}
	if f.Body == "" {
		a.raw = fault(f.Status, "computeFault", http.StatusText(f.Status)).raw
	}
	return a
}
