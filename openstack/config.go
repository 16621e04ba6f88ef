package openstack

import (
	"errors"
	"fmt"
	"strings"

	"staffeln/backup"
)

// Config sets the retries of cloud calls and the roles that give the right to a secret. The zero Config is valid: no call
// is retried, and no encrypted backup is deleted.
type Config struct {
	RetryTimeout     backup.Duration `split_words:"true" default:"300" desc:"How long one call to the cloud is tried again, in seconds or as a period such as 5min; 0 never. A start waits a minute at most, and a task of a worker ends after 100 seconds whatever this says. Longer rides out longer outages within one plan or reconcile run, which take as much longer."`
	MaxRetryInterval backup.Duration `split_words:"true" default:"30" desc:"Longest pause between two tries of one call, in seconds or as a period. Shorter finds a recovered cloud sooner and loads a failing one more. A longer Retry-After of the cloud is obeyed, up to an hour; where it does not fit into RETRY_TIMEOUT the call ends, and what needed it is tried again later."`
	SkipRetryCodes   []int           `split_words:"true" default:"404" desc:"HTTP status codes, comma-separated, after which a call is not tried again. Each code added gives up sooner on that answer."`
	SecretRoles      []string        `split_words:"true" default:"admin,creator" desc:"Names of roles, comma-separated, of which one gives the right to delete a secret of its project in Barbican (its default policy: admin, creator; with enforce_new_defaults also member). An encrypted backup is deleted only with one of them: a role too many lets deletions hang for ever."`
}

// Validate returns all errors of the configuration at once.
func (c Config) Validate() error {
	var faults []error
	fault := func(name string, value any, want string) {
		faults = append(faults, fmt.Errorf("%s: %v: want %s", name, value, want))
	}
	if c.RetryTimeout < 0 {
		fault("RETRY_TIMEOUT", c.RetryTimeout, "0 or more")
	}
	if c.RetryTimeout > 0 && c.MaxRetryInterval <= 0 {
		fault("MAX_RETRY_INTERVAL", c.MaxRetryInterval, "more than 0")
	}
	for _, code := range c.SkipRetryCodes {
		if code < 400 || code > 599 {
			fault("SKIP_RETRY_CODES", code, "HTTP status codes from 400 to 599")
		}
	}
	for _, role := range c.SecretRoles {
		if strings.TrimSpace(role) == "" {
			fault("SECRET_ROLES", fmt.Sprintf("%q", c.SecretRoles), "names of roles, none of them empty")
			break
		}
	}
	return errors.Join(faults...)
}
