package openstack

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"staffeln/internal/keyfile"
)

// Credentials are our user and the address of the cloud. They never print the password. Make them with [FromEnv].
type Credentials struct {
	authURL   string // of Keystone, with or without /v3
	region    string // empty: the catalog has only one
	iface     string // public, internal or admin
	user      gophercloud.AuthOptions
	admin     gophercloud.AuthScope // the project whose token reads the all-projects lists
	transport *tls.Config

	passwordFile string // read again before each login
}

// String returns the user and the address of the cloud, never the password.
func (c Credentials) String() string {
	return fmt.Sprintf("%s%s at %s", c.user.Username, c.user.UserID, c.authURL)
}

// GoString returns String, so that %#v does not print the password either.
func (c Credentials) GoString() string { return c.String() }

// errOneProject is why credentials that are bound to one scope are rejected.
const errOneProject = "can't be re-scoped to projects: a backup belongs to the project of the token that made it, so we need a token of each; use a user and a password"

// FromEnv reads the usual variables of an openrc file (OS_AUTH_URL, OS_USERNAME, OS_PASSWORD or OS_PASSWORD_FILE,
// OS_PROJECT_NAME, ...). If OS_CLOUD is set, it reads that cloud from clouds.yaml instead; then OS_PASSWORD(_FILE),
// OS_REGION_NAME, OS_INTERFACE, OS_CACERT, OS_CERT, OS_KEY and OS_INSECURE override the file. It returns all errors at once,
// without any secret.
func FromEnv(getenv func(string) string) (Credentials, error) {
	e := &environment{getenv: getenv}
	e.refuseOtherMethods()
	var c Credentials
	if e.first("OS_CLOUD") != "" {
		c = e.fromCloudsYAML()
	} else {
		c = e.fromOpenrc()
	}
	c.passwordFile = e.getenv("OS_PASSWORD_FILE")
	e.check(c)
	if err := errors.Join(e.faults...); err != nil {
		return Credentials{}, fmt.Errorf("read cloud credentials: %w", err)
	}
	return c, nil
}

// AddressFromEnv reads from the same variables as [FromEnv] Keystone's address, how to reach it, and the service user's name
// if it is given. Validating tokens and signing users in needs no password, so it keeps none.
func AddressFromEnv(getenv func(string) string) (Credentials, error) {
	e := &environment{getenv: func(name string) string {
		if name == "OS_PASSWORD" || name == "OS_PASSWORD_FILE" {
			return ""
		}
		return getenv(name)
	}}
	var c Credentials
	if e.first("OS_CLOUD") != "" {
		c = e.fromCloudsYAML()
	} else {
		c = e.fromOpenrc()
	}
	c.user.Password = ""
	e.checkURL(c)
	if err := errors.Join(e.faults...); err != nil {
		return Credentials{}, fmt.Errorf("read where Keystone is: %w", err)
	}
	return c, nil
}

// Is reports whether l is a login of the user of c. If one of the two domains is an ID and the other a name, they may be the
// same, and Is returns true.
func (c Credentials) Is(l Login) bool {
	if c.user.Username == "" || !strings.EqualFold(c.user.Username, l.User) {
		return false
	}
	byID := l.Domain == "default" || uuid.MatchString(l.Domain)
	switch {
	case byID && c.user.DomainID != "":
		return c.user.DomainID == l.Domain
	case !byID && c.user.DomainName != "":
		return strings.EqualFold(c.user.DomainName, l.Domain)
	}
	return true
}

// An environment reads variables and collects the errors in them.
type environment struct {
	getenv func(string) string
	faults []error
}

func (e *environment) fault(format string, a ...any) {
	e.faults = append(e.faults, fmt.Errorf(format, a...))
}

// first returns the first value that is set.
func (e *environment) first(names ...string) string {
	for _, n := range names {
		if v := e.getenv(n); v != "" {
			return v
		}
	}
	return ""
}

func (e *environment) refuseOtherMethods() {
	for _, n := range []string{"OS_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_NAME", "OS_APPLICATION_CREDENTIAL_SECRET", "OS_SYSTEM_SCOPE", "OS_TRUST_ID", "OS_TOKEN"} {
		if e.getenv(n) != "" {
			e.fault("%s: %s", n, errOneProject)
		}
	}
	switch t := e.getenv("OS_AUTH_TYPE"); t {
	case "", "password", "v3password":
	default:
		e.fault("OS_AUTH_TYPE: %s: %s", t, errOneProject)
	}
}

func (e *environment) fromOpenrc() Credentials {
	c := Credentials{
		authURL: e.getenv("OS_AUTH_URL"),
		region:  e.getenv("OS_REGION_NAME"),
		iface:   e.iface(""),
		user: gophercloud.AuthOptions{
			UserID:   e.getenv("OS_USER_ID"),
			Username: e.getenv("OS_USERNAME"),
			Password: e.password(),
		},
		admin: gophercloud.AuthScope{
			ProjectID:   e.first("OS_PROJECT_ID", "OS_TENANT_ID"),
			ProjectName: e.first("OS_PROJECT_NAME", "OS_TENANT_NAME"),
		},
		transport: e.tls(),
	}
	c.user.DomainID, c.user.DomainName = e.domain("USER")
	c.admin.DomainID, c.admin.DomainName = e.domain("PROJECT")
	return c.normal()
}

// normal removes the fields that Keystone rejects next to an ID.
func (c Credentials) normal() Credentials {
	if c.user.UserID != "" {
		c.user.Username, c.user.DomainID, c.user.DomainName = "", "", ""
	}
	if c.admin.ProjectID != "" {
		c.admin.ProjectName, c.admin.DomainID, c.admin.DomainName = "", "", ""
	}
	return c
}

// domain returns the ID or the name of the user's or the project's domain. As in the openstack client, OS_DEFAULT_DOMAIN is
// an ID, and the default is the ID `default`.
func (e *environment) domain(of string) (id, name string) {
	for _, prefix := range []string{"OS_" + of + "_DOMAIN_", "OS_DOMAIN_"} {
		if v := e.getenv(prefix + "ID"); v != "" {
			return v, ""
		}
		if v := e.getenv(prefix + "NAME"); v != "" {
			return "", v
		}
	}
	if v := e.getenv("OS_DEFAULT_DOMAIN"); v != "" {
		return v, ""
	}
	return "default", ""
}

func (e *environment) password() string {
	value, file := e.getenv("OS_PASSWORD"), e.getenv("OS_PASSWORD_FILE")
	switch {
	case value != "" && file != "":
		e.fault("OS_PASSWORD and OS_PASSWORD_FILE: both are set: want one of them")
	case file != "":
		password, err := readPassword(file)
		if err != nil {
			e.fault("OS_PASSWORD_FILE: %w", err)
		}
		return password
	}
	return value
}

func readPassword(file string) (string, error) {
	password, err := keyfile.Secret(file)
	if err == nil && password == "" {
		err = fmt.Errorf("%s is empty", file)
	}
	return password, err
}

// iface returns which of a service's URLs to use: OS_INTERFACE, otherwise the value from the file, otherwise public.
func (e *environment) iface(file string) string {
	v := e.first("OS_INTERFACE", "OS_ENDPOINT_TYPE")
	if v == "" {
		v = file
	}
	switch v = strings.TrimSuffix(v, "URL"); v {
	case "":
		return "public"
	case "public", "internal", "admin":
	default:
		e.fault("OS_INTERFACE: %s: want public, internal or admin", v)
	}
	return v
}

// from returns the source of values that do not come from the environment.
func (e *environment) from() string {
	if e.getenv("OS_CLOUD") != "" {
		return " (clouds.yaml)"
	}
	return ""
}

// unread reports whether clouds.yaml could not be read. Then the missing values need no errors of their own.
func (e *environment) unread(c Credentials) bool {
	return e.getenv("OS_CLOUD") != "" && c.authURL == "" && len(e.faults) > 0
}

func (e *environment) checkURL(c Credentials) {
	if e.unread(c) {
		return
	}
	from := e.from()
	// Never print the value: a URL can contain a password.
	if u, err := url.Parse(c.authURL); c.authURL == "" {
		e.fault("OS_AUTH_URL%s: not set", from)
	} else if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		e.fault("OS_AUTH_URL%s: want http://host... or https://host...", from)
	}
}

func (e *environment) check(c Credentials) {
	if e.unread(c) {
		return
	}
	from := e.from()
	e.checkURL(c)
	if c.user.Username == "" && c.user.UserID == "" {
		e.fault("OS_USERNAME or OS_USER_ID%s: not set", from)
	}
	if c.user.Password == "" && e.getenv("OS_PASSWORD_FILE") == "" {
		e.fault("OS_PASSWORD or OS_PASSWORD_FILE%s: not set", from)
	}
	if c.admin.ProjectID == "" && c.admin.ProjectName == "" {
		e.fault("OS_PROJECT_NAME or OS_PROJECT_ID%s: not set: want the project in which the user has the role admin", from)
	}
}
