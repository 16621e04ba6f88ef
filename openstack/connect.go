package openstack

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"staffeln/backup"
	"staffeln/internal/telemetry"
)

// A Cloud is one OpenStack cloud as our service user sees it. It is safe for concurrent use.
type Cloud struct {
	credentials     Credentials
	http            http.Client
	clock           clock
	gate            *gate
	retrier         retrier
	attemptTimeout  time.Duration
	admin           *scope // of the project in the credentials
	userID          string // of the service user; the same in every token
	scopes          *scopes
	version         microversion
	catalog         catalog
	pageSize        int
	inTurn          bool
	reading         bool        // a dry run: nothing is changed
	keystoneUnpaged atomic.Bool // Keystone ignores limit and marker, and returns whole lists
	users           usersCache
	pages           pageSizes
}

// An Option configures a Cloud in [Connect].
type Option func(*options)

type options struct {
	clock          clock
	observe        Observer
	attemptTimeout time.Duration
	pageSize       int
	maxScopes      int
	transport      http.RoundTripper
	wrap           func(http.RoundTripper) http.RoundTripper
	inTurn         bool
	reading        bool
}

// An Observer is called once for every HTTP request, with its route template, its status (0 without a response) and the time
// until the response's header. It must be fast and safe for concurrent use.
type Observer func(method, route string, status int, took time.Duration)

// WithObserver calls observe for every HTTP request.
func WithObserver(observe Observer) Option {
	return func(o *options) { o.observe = observe }
}

// WithoutChanges refuses every request that would change something in Cinder. It is for a dry run.
func WithoutChanges() Option {
	return func(o *options) { o.reading = true }
}

// WithTransport sends every request through transport instead of its own connections.
func WithTransport(transport http.RoundTripper) Option {
	return func(o *options) { o.transport = transport }
}

// WithWrapped wraps the transport of every request with wrap.
func WithWrapped(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(o *options) { o.wrap = wrap }
}

// InTurn reads the lists of [Cloud.Observe] one after the other instead of in parallel, so that the same calls always send
// the same requests in the same order.
func InTurn() Option {
	return func(o *options) { o.inTurn = true }
}

// Connect requests a token of the admin project, finds the endpoints of the region and negotiates Cinder's microversion. Its
// errors end with what to do. It does not check the admin role; callers that need the role call [Cloud.VerifyAdmin].
func Connect(ctx context.Context, credentials Credentials, config Config, opts ...Option) (*Cloud, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("connect to cloud: %w", err)
	}
	o := options{
		clock: wallClock(), observe: func(string, string, int, time.Duration) {},
		attemptTimeout: attemptTimeout, pageSize: fullPage, maxScopes: maxScopes,
	}
	for _, set := range opts {
		set(&o)
	}
	kept, fresh := o.transport, o.transport
	if o.transport == nil {
		own := newTransport(credentials.transport)
		once := own.Clone()
		once.DisableKeepAlives = true
		kept, fresh = own, once
	}
	if o.wrap != nil {
		kept, fresh = o.wrap(kept), o.wrap(fresh)
	}
	c := &Cloud{
		credentials: credentials,
		http: http.Client{
			Transport: &wire{kept: kept, fresh: fresh, timeout: o.attemptTimeout, clock: o.clock, observe: o.observe},
			// A redirect would turn a POST into a GET, and would send the token to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		clock:          o.clock,
		retrier:        retrier{config: config, clock: o.clock, conditions: new(telemetry.Conditions)},
		attemptTimeout: o.attemptTimeout,
		scopes:         newScopes(o.maxScopes),
		users:          newUsersCache(),
		pageSize:       o.pageSize,
		inTurn:         o.inTurn,
		reading:        o.reading,
		version:        microversion{sem: make(chan struct{}, 1)},
		catalog:        catalog{sem: make(chan struct{}, 1)},
	}
	c.gate = newGate(credentials, o.clock, credentials.proof(c.http))
	admin, err := c.authenticate(ctx, credentials.admin, "admin project")
	if err != nil {
		return nil, credentials.withAdvice(err)
	}
	c.admin = admin
	t, err := admin.token()
	if err != nil {
		return nil, fmt.Errorf("connect to cloud: %w", err)
	}
	c.userID = t.userID
	if err := c.connectVersion(ctx); err != nil {
		return nil, credentials.withAdvice(err)
	}
	return c, nil
}

// UserID returns the ID of the service user, which is the user_id of our own backups.
func (c *Cloud) UserID() string { return c.userID }

// AdminProjectID returns the ID of the project whose token reads the all-projects lists.
func (c *Cloud) AdminProjectID() string { return c.admin.projectID }

// adminRole is the role that lets a token see all projects: `admin`, in any project, by the default policies of Keystone,
// Nova and Cinder.
const adminRole = "admin"

// RequireAdmin returns an error if our token lacks the admin role. It sends a request only if the token lacks it. Unlike
// [Cloud.VerifyAdmin] it does not see that a role was taken away since the token was issued.
func (c *Cloud) RequireAdmin(ctx context.Context) error {
	return c.requireAdmin(ctx, request{op: "verify admin role", object: "of our token"})
}

// requireAdmin returns an error if the newest token of the admin project lacks the admin role: Cinder would then silently
// list only one project. The role may have been granted again, so it first requests a new token.
func (c *Cloud) requireAdmin(ctx context.Context, r request) error {
	t, err := c.admin.token()
	if err == nil && !t.hasRole(adminRole) {
		_ = c.admin.renew(ctx) // if that fails, the old token decides
		t, err = c.admin.token()
	}
	switch {
	case err != nil: // the roles are unknown
		fault := r.refuse(c.admin.projectID, backup.MeansUnavailable, "")
		fault.Err = fmt.Errorf("read our token: %w", err)
		return fault
	case !t.hasRole(adminRole):
		return c.notAdminError(r, t.roles)
	}
	return nil
}

func (c *Cloud) notAdminError(r request, roles []string) error {
	return r.refuse(c.admin.projectID, backup.MeansNotAdmin, fmt.Sprintf(
		"the service user has the roles %q in the admin project: want %s; grant it: openstack role add --user %s --project %s %s",
		roles, adminRole, c.userID, c.admin.projectID, adminRole))
}
