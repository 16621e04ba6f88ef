package api

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"staffeln/api/web"
	"staffeln/backup"
)

// minTokenLength is the minimum length, in characters, of the token of the queue page: nothing else protects the page.
const minTokenLength = 16

// Config is the configuration of the API. It is the field API of a process's config struct, so its variables begin with API_.
type Config struct {
	Listen string `split_words:"true" default:"0.0.0.0:8808" desc:"Address and port of the HTTP API, with /v1/health, /livez, /readyz and /metrics."`
	TLS    TLS

	web.Config

	CheckListen    string   `split_words:"true" desc:"Address and port of the delete check and health only; empty = the delete check is served on STAFFELN_API_LISTEN with everything else. Anyone who can reach this port can probe which backups belong to Staffeln: restrict it to cinder-api."`
	MetricsListen  string   `split_words:"true" desc:"Address and port of /metrics and health only, without the pages and the delete check; empty = /metrics is served on STAFFELN_API_LISTEN. Unauthenticated: do not expose it."`
	RefusalBurst   int      `split_words:"true" default:"10" desc:"Refused deletions of one user within a minute, over all replicas, that raise staffeln_delete_refusal_bursts_total and log an error: the user may be an intruder who tries to delete backups. The user is trusted only if the caller has the required client certificate; all other callers are counted together, without a name. 0 = never."`
	TrustedProxies Networks `split_words:"true" desc:"Networks of the load balancers and proxies in front of the API, such as 10.0.0.0/8,fd00::/8. X-Forwarded-For is trusted only from them; limits and log use the client address in it. Empty = no proxy is trusted: all clients behind a proxy share its address and its limits."`
	RateLimit      int      `split_words:"true" default:"20" desc:"Requests per second that one client (an address; of IPv6, its /64 network) may send, with bursts of five times as many; further requests get a 429. The limit does not apply to health, metrics and the delete check. Responses for health and metrics are delayed by about a second if one client requests them more than 20 times a second. 0 = no limit."`

	DrainTime backup.Duration `split_words:"true" default:"0" desc:"How long the API still serves requests after its shutdown began (SIGTERM), while /readyz already reports that it is not ready. A load balancer in front of it needs this time to notice: Cinder refuses every deletion with an error if it cannot reach the delete check. After that, requests in progress have 5 seconds."`

	QueuesToken string `split_words:"true" secret:"true" desc:"Token for the queue page (asynqmon, read-only) at /queues: the password of any user, or a bearer token. At least 16 characters; empty = no such page. The page needs STAFFELN_REDIS_URL. Over plain HTTP the token can be intercepted: serve the API with TLS, or do not expose it."`
}

// Validate rejects contradictory addresses and a queue token that can be guessed.
func (c Config) Validate() error {
	if c.RateLimit < 0 {
		return errors.New("RATE_LIMIT: want 0 (no limit) or more")
	}
	if c.RefusalBurst < 0 {
		return errors.New("REFUSAL_BURST: want 0 (never) or more")
	}
	if c.CheckListen != "" && c.CheckListen == c.Listen {
		return errors.New("CHECK_LISTEN: the same as API_LISTEN: leave it empty, or name another address")
	}
	if c.MetricsListen != "" && (c.MetricsListen == c.Listen || c.MetricsListen == c.CheckListen) {
		return errors.New("METRICS_LISTEN: the same as API_LISTEN or API_CHECK_LISTEN: leave it empty, or name another address")
	}
	if c.QueuesToken != "" && utf8.RuneCountInString(c.QueuesToken) < minTokenLength {
		return fmt.Errorf("QUEUES_TOKEN: too short: want at least %d characters, such as `openssl rand -hex 24` prints", minTokenLength)
	}
	return nil
}
