package openstack

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/internal/telemetry"
)

// firstPause is the pause after the first try; it doubles up to MaxRetryInterval.
const firstPause = time.Second

// A patience tries calls again. It is the only place that does.
type retrier struct {
	config     Config
	clock      clock
	conditions *telemetry.Conditions // calls that fail; nil: nothing is logged of them
}

// try makes the attempts of one call, until one succeeds, is refused for good,
// or the time is up: RETRY_TIMEOUT or ctx. It returns the last answer.
func (p retrier) try(ctx context.Context, r request, attempt func() *backup.CloudError) error {
	began := p.clock.now()
	unknown := false // what became of the tries before
	for n := 1; ; n++ {
		fault := attempt()
		if fault == nil {
			if p.conditions != nil {
				p.conditions.Over(zerolog.Ctx(ctx), r.op).Str("call", r.op).Msg("cloud call succeeds again")
			}
			return nil
		}
		unknown = unknown || fault.Unknown
		fault.Unknown = unknown
		if !p.mayRepeat(r, fault) || ctx.Err() != nil {
			return fault
		}
		pause := p.pause(n, fault)
		if p.clock.now().Add(pause).Sub(began) > p.config.RetryTimeout.Std() {
			return fault
		}
		if p.conditions != nil {
			p.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, r.op, string(fault.Meaning)).Err(fault).Int("attempt", n).Dur("pause", pause).
				Str("project_id", fault.ProjectID).Msg("cloud call will be tried again")
		}
		if p.clock.wait(ctx, pause) != nil {
			return fault // what the cloud said tells more than that we stopped waiting
		}
	}
}

// mayRepeat decides by what the call does and what came of it.
//
//   - A read or a removal (by ID) may be repeated after anything transient.
//   - A creation only where the cloud certainly did not execute it and may do so
//     later: it never got out, no new token could be had for it, or it was
//     throttled.
func (p retrier) mayRepeat(r request, fault *backup.CloudError) bool {
	if p.config.RetryTimeout <= 0 || r.once || r.large && tooLarge(fault) || slices.Contains(p.config.SkipRetryCodes, fault.Status) || r.first && hopeless(fault) {
		return false
	}
	switch {
	case fault.Meaning == backup.MeansThrottled:
		return true
	case fault.Meaning != backup.MeansUnavailable:
		return false
	case r.repeatable():
		return true
	}
	return !fault.Unknown && (fault.Status == http.StatusNotAcceptable || !slices.Contains(notDone, fault.Status))
}

// repeatable tells whether executing the request twice is the same as once.
func (r request) repeatable() bool {
	return r.idempotent || r.method == http.MethodGet || r.method == http.MethodHead || r.method == http.MethodDelete
}

// pause doubles with each try and varies, so that many callers do not come back
// at once. The cloud's own wish prevails where it is longer.
func (p retrier) pause(tried int, fault *backup.CloudError) time.Duration {
	d := backup.BackOff{First: firstPause, Longest: p.config.MaxRetryInterval.Std()}.Pause(tried)
	d -= time.Duration(rand.Int64N(int64(d)/2 + 1)) //nolint:gosec // spreads callers in time, guards nothing
	return max(d, fault.RetryAfter)
}
