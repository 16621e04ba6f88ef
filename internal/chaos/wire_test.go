package chaos

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"staffeln/internal/cloudsim"
	"staffeln/internal/inprocess"
)

// A transport passes the requests of our client to the cloud, without a connection, and injects faults.
type transport struct{ environment *environment }

var errBroken = errors.New("connection reset by the seed")

// RoundTrip implements [http.RoundTripper].
func (l transport) RoundTrip(r *http.Request) (*http.Response, error) {
	env, a := l.environment, actorOf(r.Context())
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body, err := inprocess.Body(r)
	if err != nil {
		return nil, err
	}
	if a == nil { // of the driver itself, when it starts a process
		return l.send(r, body)
	}
	authenticates := strings.HasSuffix(r.URL.Path, "/auth/tokens") && r.Method == http.MethodPost
	name := r.Method + " " + r.URL.Path
	changes := !authenticates && r.Method != http.MethodGet
	what := a.decide(call{name: name, pausable: !authenticates, odd: true, expires: true, changes: changes})
	if err := r.Context().Err(); err != nil {
		what = expired
	}
	number := a.calls
	env.hideBackups(a, r)
	switch what {
	case diesFirst:
		return nil, errDead
	case expired:
		env.trace("%s %d %s: its time is over", a.name, number, name)
		return nil, errRefused
	case refused: // before it is sent
		env.trace("%s %d %s: no connection", a.name, number, name)
		return nil, errRefused
	case odd:
		if !a.noBackups && env.omits(r) {
			return l.omitting(a, r, body, name)
		}
		remove := l.oddity(a, r, name)
		defer remove()
	default:
	}
	env.judgeDeletion(a, r)
	send := l.send
	if a.noBackups {
		send = l.sendToEmpty
	}
	resp, err := send(r, body)
	if err != nil {
		env.trace("%s %d %s: %s", a.name, number, name, brief(err))
		return nil, err
	}
	env.trace("%s %d %s: %d", a.name, number, name, resp.StatusCode)
	switch what {
	case diesAfter:
		return nil, errDead
	case responseLost:
		env.trace("  and its response is lost")
		return nil, errBroken
	default:
	}
	return resp, nil
}

// send executes a request in the cloud.
func (l transport) send(r *http.Request, body []byte) (*http.Response, error) {
	resp, err := inprocess.Transport{Cloud: l.environment.sim}.Send(r, body)
	if err != nil {
		return nil, err
	}
	return l.environment.distorted(r, resp), nil
}

// oddity adds an odd response of the cloud to one request.
func (l transport) oddity(a *actor, r *http.Request, name string) (remove func()) {
	env := l.environment
	usual := []func() cloudsim.Effect{
		func() cloudsim.Effect { return cloudsim.Refuse{Status: 500} },
		func() cloudsim.Effect { return cloudsim.Refuse{Status: 503} },
		func() cloudsim.Effect { return cloudsim.Refuse{Status: 504} },
		func() cloudsim.Effect { return cloudsim.Refuse{Status: 404, Body: "<html>no such page</html>"} },
		func() cloudsim.Effect {
			return cloudsim.Refuse{Status: 429, Header: http.Header{"Retry-After": {fmt.Sprint(1 + env.rng.IntN(120))}}}
		},
		func() cloudsim.Effect { return cloudsim.GarbageBody{} },
		func() cloudsim.Effect { return cloudsim.HalfBody{} },
		func() cloudsim.Effect { return cloudsim.DropAfterEffect{} },
	}
	of, later := usual, func() cloudsim.Effect { return env.executeLater(a) }
	switch {
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/backups"):
		of = append(of,
			later, later, later, later, later, later, later, later,
			func() cloudsim.Effect { return cloudsim.Stick{} }, func() cloudsim.Effect { return cloudsim.MakeFull{} },
			func() cloudsim.Effect { return cloudsim.FailLater{Reason: "the target is full"} },
		)
	case r.Method == http.MethodDelete:
		of = append(of,
			func() cloudsim.Effect { return cloudsim.Stick{} },
			func() cloudsim.Effect { return cloudsim.FailLater{Reason: "the target is away"} },
			func() cloudsim.Effect {
				return cloudsim.FailLater{Reason: "the target is away", Status: "error_deleting"}
			},
		)
	}
	effect := of[env.rng.IntN(len(of))]()
	env.trace("%s %d %s: odd: %T%+v", a.name, a.calls, name, effect, effect)
	return env.sim.AddFault(cloudsim.Fault{Times: 1, Do: effect})
}

// executeLater returns the effect of a request for a backup that the cloud executes after the client gave up: mostly within
// POST_SETTLE_TIME.
func (env *environment) executeLater(a *actor) cloudsim.Effect {
	limit := env.set.PostSettleTime.Std()
	after := time.Duration(1+env.rng.IntN(int(limit/time.Second)-30)) * time.Second
	if env.rng.IntN(6) == 0 {
		after += limit
		env.stray = true
	}
	env.delayed = append(env.delayed, delayed{volume: a.run.Volume.VolumeID, asked: env.now, after: after})
	return cloudsim.ExecuteLater{After: after}
}

// delayed is a request that Cinder executed late, after the client gave up.
type delayed struct {
	volume string
	asked  time.Time
	after  time.Duration
}
