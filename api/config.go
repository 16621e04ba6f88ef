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

	CheckListen    string   `split_words:"true" desc:"Address and port of the delete check alone, with health beside it, apart from the rest; empty = it is served on STAFFELN_API_LISTEN with all else. Whoever reaches it can ask which backups are ours: let nobody but Cinder do so."`
	MetricsListen  string   `split_words:"true" desc:"Address and port of /metrics, with health beside it, apart from the pages and the delete check; empty = /metrics is served on STAFFELN_API_LISTEN. Without authentication: keep the port inside."`
	RefusalBurst   int      `split_words:"true" default:"10" desc:"Refused deletions of one user within a minute, at all replicas together, that raise staffeln_delete_refusal_bursts_total and an error in the log: it may be an intruder at the backups. Only callers with the client certificate that is demanded are believed who the user is; the others count together, without a name. 0 = never."`
	TrustedProxies Networks `split_words:"true" desc:"Networks of the load balancers and proxies in front of the API, such as 10.0.0.0/8,fd00::/8: what they say in X-Forwarded-For is whom a request came from, for limits and log. Empty = nobody is believed, and all who come through a proxy share its address and its limits."`
	RateLimit      int      `split_words:"true" default:"20" desc:"Requests a second that one client (an address; of IPv6, its /64 network) may send, in bursts of five times as many; what is more is answered 429. It never holds for health, metrics and the delete check; of those, health and metrics are answered about a second later where one client asks for them more than 20 times a second. 0 = no limit."`

	DrainTime backup.Duration `split_words:"true" default:"0" desc:"How long the API serves on after it was told to end, while /readyz already says that it is not ready: give a load balancer in front of it the time to notice, since Cinder refuses every deletion with an error where it finds nobody. Then requests under way have 5 seconds."`

	QueuesToken string `split_words:"true" secret:"true" desc:"Who knows it sees the page of the queues (asynqmon, read-only) at /queues: as the password of any user, or as a bearer token. At least 16 characters; empty = there is no such page. The page needs STAFFELN_REDIS_URL. By plain HTTP the token can be read on its way: serve the API by TLS, or keep it inside."`
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
