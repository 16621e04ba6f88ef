package python

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"staffeln/internal/config"
	"staffeln/openstack"
)

// Stand-ins for the variables that are filled in later, so that the rest can be checked.
var filledIn = []string{"STAFFELN_DATABASE_URL=postgres://staffeln@127.0.0.1/staffeln", "STAFFELN_REDIS_URL=redis://127.0.0.1/0"}

// inseparable are variables that this program accepts only with another one.
var inseparable = map[string][]string{
	"STAFFELN_SENDER_EMAIL":      {"STAFFELN_RECEIVER", "STAFFELN_PROJECT_RECEIVER_DOMAIN", "STAFFELN_SENDER_PWD"},
	"STAFFELN_API_TLS_CERT_FILE": {"STAFFELN_API_TLS_KEY_FILE"},
	"STAFFELN_API_TLS_KEY_FILE":  {"STAFFELN_API_TLS_CERT_FILE"},
}

// Check has this program's own loader read the settings, and marks each that it refuses, with its reason, until it accepts
// all others. It returns an error if that is impossible.
func (c *Conversion) Check() error {
	for i := range c.Settings {
		if _, err := config.Quote(c.Settings[i].Value); err != nil {
			c.refuse(c.Settings[i].Variable, err.Error())
		}
	}
	for {
		err := config.Load(append(c.environment(), filledIn...), new(config.All))
		if err == nil {
			return nil
		}
		if !c.refuseAll(split(err)) {
			return fmt.Errorf("check the result: %w", err)
		}
	}
}

// CheckCloud does the same for the settings of an openrc. What is missing in it is a remark about file.
func (c *Conversion) CheckCloud(file string) {
	for i := range c.Settings {
		if _, err := config.Quote(c.Settings[i].Value); err != nil {
			c.refuse(c.Settings[i].Variable, err.Error())
		}
	}
	for {
		set := map[string]string{}
		for _, line := range c.environment() {
			name, value, _ := strings.Cut(line, "=")
			set[name] = value
		}
		_, err := openstack.FromEnv(func(name string) string { return set[name] })
		if err == nil {
			return
		}
		if faults := split(err); !c.refuseAll(faults) {
			for _, fault := range faults {
				c.Remarks = append(c.Remarks, Remark{file, fault.Error(), true})
			}
			return
		}
	}
}

// environment returns the settings that are not refused, in the form of os.Environ.
func (c *Conversion) environment() (env []string) {
	for _, s := range c.Settings {
		if s.Refused == "" {
			env = append(env, s.Variable+"="+s.Value)
		}
	}
	return env
}

// refuseAll marks the settings that faults are about. It reports whether there was one.
func (c *Conversion) refuseAll(faults []error) (found bool) {
	for _, fault := range faults {
		variable, reason, _ := strings.Cut(fault.Error(), ": ")
		if c.refuse(variable, reason) {
			found = true
			continue
		}
		for _, other := range inseparable[variable] {
			found = c.refuse(other, variable+": "+reason) || found
		}
	}
	return found
}

func (c *Conversion) refuse(variable, reason string) bool {
	at := slices.IndexFunc(c.Settings, func(s Setting) bool { return s.Variable == variable && s.Refused == "" })
	if at < 0 {
		return false
	}
	c.Settings[at].Refused = reason
	return true
}

// split returns the joined errors within err.
func split(err error) []error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return several.Unwrap()
	}
	if inner := errors.Unwrap(err); inner != nil {
		return split(inner)
	}
	return []error{err}
}
