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
	RetryTimeout     backup.Duration `split_words:"true" default:"300" desc:"How long one call to the cloud is retried, in seconds or as a period such as 5min; 0 disables retries. Regardless of this setting, a start waits at most a minute and a worker's task ends after 100 seconds. A longer timeout survives longer outages within one plan or reconcile run, which then take longer."`
	MaxRetryInterval backup.Duration `split_words:"true" default:"30" desc:"Longest pause between two attempts of one call, in seconds or as a period. A shorter pause notices a recovered cloud sooner and puts more load on a failing one. A longer Retry-After header of the cloud is obeyed, up to an hour; if it does not fit into RETRY_TIMEOUT, the call fails, and the task or run that made it is tried again later."`
	SkipRetryCodes   []int           `split_words:"true" default:"404" desc:"HTTP status codes, comma-separated, after which a call is not retried: a call that gets one of these codes fails at once."`
	SecretRoles      []string        `split_words:"true" default:"admin,creator" desc:"Names of roles, comma-separated. Each of them gives the right to delete a secret of its project in Barbican (its default policy: admin, creator; with enforce_new_defaults also member). An encrypted backup is deleted only if the service user has one of them. A role in this list that does not give the right makes deletions hang forever."`
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
