package crash

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	"staffeln/internal/cloudsim"
)

// A recording stores all changes of a cloud, so that another one can be brought to the same state: with the same seed, and
// with the same requests and direct changes at the same times, one after the other.
type recording struct {
	mu      sync.Mutex
	sim     *cloudsim.Cloud
	options func(now func() time.Time) cloudsim.Options
	now     func() time.Time
	steps   []step
}

type step struct {
	at time.Time
	do func(*cloudsim.Cloud)
}

func newRecording(now func() time.Time, options func(now func() time.Time) cloudsim.Options) *recording {
	return &recording{sim: cloudsim.New(options(now)), options: options, now: now}
}

// create adds something to the cloud and returns its ID.
func (t *recording) create(do func(*cloudsim.Cloud) string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.steps = append(t.steps, step{t.now(), func(sim *cloudsim.Cloud) { do(sim) }})
	return do(t.sim)
}

// change changes something in the cloud.
func (t *recording) change(do func(*cloudsim.Cloud)) {
	t.create(func(sim *cloudsim.Cloud) string { do(sim); return "" })
}

// ServeHTTP executes and records one request after the other.
func (t *recording) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	method, url, header, host := r.Method, r.URL.String(), r.Header.Clone(), r.Host
	t.steps = append(t.steps, step{t.now(), func(sim *cloudsim.Cloud) {
		defer func() { // a fault may abort the response
			if broken := recover(); broken != nil {
				if err, ok := broken.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
					panic(broken)
				}
			}
		}()
		again := httptest.NewRequest(method, url, bytes.NewReader(body)) //nolint:noctx // there is no client
		again.Header, again.Host = header, host
		sim.ServeHTTP(httptest.NewRecorder(), again)
	}})
	r.Body = io.NopCloser(bytes.NewReader(body))
	t.sim.ServeHTTP(w, r)
}

// An adjustableClock is a running clock that a test can move forward.
type adjustableClock struct{ ahead atomic.Int64 }

func (d *adjustableClock) now() time.Time { return time.Now().Add(time.Duration(d.ahead.Load())) } // processes run on the wall clock

// replay returns another cloud in the final state of the recording, with a clock that runs from there.
func (t *recording) replay() (*cloudsim.Cloud, *adjustableClock) {
	t.mu.Lock()
	defer t.mu.Unlock()
	clock := new(adjustableClock)
	var at atomic.Pointer[time.Time]
	at.Store(&t.steps[0].at)
	sim := cloudsim.New(t.options(func() time.Time {
		if then := at.Load(); then != nil {
			return *then
		}
		return clock.now()
	}))
	for _, d := range t.steps {
		at.Store(&d.at)
		d.do(sim)
	}
	clock.ahead.Store(int64(time.Until(t.now())))
	at.Store(nil)
	return sim, clock
}
