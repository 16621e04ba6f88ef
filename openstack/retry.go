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

// A retrier retries cloud calls after pauses. Without a pause, a request is sent again in these cases only: to the endpoint of a
// new catalog or at a lower microversion, and after another caller's cancellation (call.go); with plain texts, after Cinder
// refused the others (create.go).
type retrier struct {
	config     Config
	clock      clock
	conditions *telemetry.Conditions // failing calls; nil: they are not logged
}

// try makes the attempts of one call until one succeeds, fails permanently, or the time is up: RETRY_TIMEOUT or ctx. It returns
// the last error.
func (p retrier) try(ctx context.Context, r request, attempt func() *backup.CloudError) error {
	began := p.clock.now()
	unknown := false // whether an earlier attempt may have been executed
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
			line := p.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, r.op, string(fault.Meaning)).Err(fault).Int("attempt", n).Float64("pause_seconds", pause.Seconds())
			if fault.ProjectID != "" {
				line.Str("project_id", fault.ProjectID)
			}
			line.Msg("cloud call will be tried again")
		}
		if p.clock.wait(ctx, pause) != nil {
			return fault // the cloud's error is more useful than ctx's
		}
	}
}

// mayRepeat decides by the kind of the call and its error.
//
//   - A read or a deletion (by ID) may be repeated after any transient error.
//   - A creation may be repeated only if the cloud certainly did not execute it and may do so later: it was not sent, its
//     token could not be renewed, or it was throttled.
func (p retrier) mayRepeat(r request, fault *backup.CloudError) bool {
	if p.config.RetryTimeout <= 0 || r.once || r.large && tooLarge(fault) || slices.Contains(p.config.SkipRetryCodes, fault.Status) || r.first && misconfigured(fault) {
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
	return !fault.Unknown && (fault.Status == http.StatusNotAcceptable || !slices.Contains(notExecuted, fault.Status))
}

// repeatable reports whether executing the request twice has the same effect as once.
func (r request) repeatable() bool {
	return r.idempotent || r.method == http.MethodGet || r.method == http.MethodHead || r.method == http.MethodDelete
}

// pause returns a pause that doubles with each try and is random, so that many callers do not retry at once. A longer
// Retry-After of the cloud overrides it.
func (p retrier) pause(tried int, fault *backup.CloudError) time.Duration {
	d := backup.BackOff{First: firstPause, Longest: p.config.MaxRetryInterval.Std()}.Pause(tried)
	d -= time.Duration(rand.Int64N(int64(d)/2 + 1)) //nolint:gosec // spreads callers in time, not security-relevant
	return max(d, fault.RetryAfter)
}
