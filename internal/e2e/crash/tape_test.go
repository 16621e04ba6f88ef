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
type tape struct {
	mu      sync.Mutex
	sim     *cloudsim.Cloud
	options func(now func() time.Time) cloudsim.Options
	now     func() time.Time
	deeds   []deed
}

type deed struct {
	at time.Time
	do func(*cloudsim.Cloud)
}

func newTape(now func() time.Time, options func(now func() time.Time) cloudsim.Options) *tape {
	return &tape{sim: cloudsim.New(options(now)), options: options, now: now}
}

// create adds something to the cloud and returns its ID.
func (t *tape) hand(do func(*cloudsim.Cloud) string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deeds = append(t.deeds, deed{t.now(), func(sim *cloudsim.Cloud) { do(sim) }})
	return do(t.sim)
}

// change changes something in the cloud.
func (t *tape) act(do func(*cloudsim.Cloud)) {
	t.hand(func(sim *cloudsim.Cloud) string { do(sim); return "" })
}

// ServeHTTP executes and records one request after the other.
func (t *tape) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	method, url, header, host := r.Method, r.URL.String(), r.Header.Clone(), r.Host
	t.deeds = append(t.deeds, deed{t.now(), func(sim *cloudsim.Cloud) {
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
type dial struct{ ahead atomic.Int64 }

func (d *dial) now() time.Time { return time.Now().Add(time.Duration(d.ahead.Load())) } // processes run on the wall clock

// replay returns another cloud in the final state of the recording, with a clock that runs from there.
func (t *tape) play() (*cloudsim.Cloud, *dial) {
	t.mu.Lock()
	defer t.mu.Unlock()
	clock := new(dial)
	var at atomic.Pointer[time.Time]
	at.Store(&t.deeds[0].at)
	sim := cloudsim.New(t.options(func() time.Time {
		if then := at.Load(); then != nil {
			return *then
		}
		return clock.now()
	}))
	for _, d := range t.deeds {
		at.Store(&d.at)
		d.do(sim)
	}
	clock.ahead.Store(int64(time.Until(t.now())))
	at.Store(nil)
	return sim, clock
}
