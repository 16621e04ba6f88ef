package alerting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

const (
	// period is how often findings are compared with what the receiver knows.
	period = 15 * time.Second
	// requestTime is how long a receiver has for its response.
	requestTime = 10 * time.Second
)

// longestPause is the longest pause before a message is repeated. A heartbeat is never later than its period, so that a dead
// man's switch notices the end of a trouble soon.
const longestPause = 15 * time.Minute

// Alerting sends to the receivers. It is used by one goroutine at a time.
type Alerting struct {
	Receivers Receivers
	DB        *db.DB
	Settings  backup.Settings
	Metrics   *telemetry.Metrics
	// Installation is the ID that all messages carry.
	Installation string

	conditions         telemetry.Conditions
	heartbeat, webhook receiver
}

// A receiver is one URL, and when it is to be requested next.
type receiver struct {
	failures int
	next     time.Time // by the database's clock
}

// Run sends for as long as the process leads in this term: until ctx ends.
func (a *Alerting) Run(ctx context.Context, term int64) {
	if a.Receivers == (Receivers{}) {
		return
	}
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		a.Once(ctx, term)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Once sends what is due now.
func (a *Alerting) Once(ctx context.Context, term int64) {
	b, err := a.DB.BeginRun(ctx, term)
	if err != nil {
		return // the loops of the scheduler log it, and no request is the message of a dead man's switch
	}
	if a.Receivers.HeartbeatURL != "" {
		a.try(ctx, "heartbeat", b.Now, &a.heartbeat, heartbeatPeriod, func() error { return a.ping(ctx, b) })
	}
	if a.Receivers.WebhookURL != "" {
		a.try(ctx, "webhook", b.Now, &a.webhook, 0, func() error { return a.post(ctx, b) })
	}
}

// try sends if that is due, and logs when a receiver begins to refuse, and when it accepts again.
func (a *Alerting) try(ctx context.Context, name string, now time.Time, r *receiver, every time.Duration, send func() error) {
	if now.Before(r.next) {
		return
	}
	log := zerolog.Ctx(ctx)
	err := send()
	switch {
	case ctx.Err() != nil:
	case err != nil:
		r.failures++
		r.next = now.Add(backup.BackOff{First: period, Longest: cmp.Or(every, longestPause)}.Pause(r.failures))
		a.conditions.MetLasting(log, zerolog.WarnLevel, name, "").Err(err).Time("next", r.next).Msg(name + " not sent, will be tried again")
	default:
		*r = receiver{next: now.Add(every)}
		a.conditions.Over(log, name).Msg(name + " sent again")
	}
}

var client = &http.Client{
	Timeout: requestTime,
	// A redirect would turn a POST into a GET, and might take the key of a URL to another host.
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// request sends req and returns an error that has no part of the URL, which is a secret.
func (a *Alerting) request(name, variable string, req *http.Request) error {
	resp, err := client.Do(req)
	a.Metrics.Alerted(name, err == nil && resp.StatusCode/100 == 2)
	if err != nil {
		if fault, ok := errors.AsType[*url.Error](err); ok {
			err = fault.Err
		}
		return fmt.Errorf("the receiver of %s did not respond: %w", variable, err)
	}
	defer resp.Body.Close()                               //nolint:errcheck // nothing is written
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 200)) // it is only shown
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the receiver of %s responded %s %s", variable, resp.Status, strings.TrimSpace(string(text)))
	}
	return nil
}
