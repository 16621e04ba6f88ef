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

// A Cloud is one OpenStack, as our service user sees it. It may be used by many
// goroutines.
type Cloud struct {
	credentials    Credentials
	http           http.Client
	clock          clock
	gate           *gate
	retrier        retrier
	attemptTimeout time.Duration
	admin          *scope // of the project in the credentials
	userID         string // of the service user: the same in every token
	scopes         *scopes
	version        microversion
	catalog        catalog
	pageSize       int
	inTurn         bool
	keystoneWhole  atomic.Bool // Keystone ignores limit and marker, and gives whole lists
	users          usersCache
	pages          pageSizes
}

// An Option changes a Cloud while it is connected.
type Option func(*options)

type options struct {
	clock          clock
	observe        func(method, route string, status int)
	attemptTimeout time.Duration
	pageSize       int
	maxScopes      int
	transport      http.RoundTripper
	wrap           func(http.RoundTripper) http.RoundTripper
	inTurn         bool
}

// WithObserver calls observe once for every HTTP request that was sent, with
// its route template and its status, 0 where no answer came. It must be quick
// and safe for many goroutines.
func WithObserver(observe func(method, route string, status int)) Option {
	return func(o *options) { o.observe = observe }
}

// WithTransport sends every request through transport instead of connections
// of its own.
func WithTransport(transport http.RoundTripper) Option {
	return func(o *options) { o.transport = transport }
}

// WithWrapped sends every request through what wrap makes of the transport.
func WithWrapped(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(o *options) { o.wrap = wrap }
}

// InTurn reads the lists of [Cloud.Observe] one after the other instead of side
// by side, so that the same calls bring the same requests in the same order.
func InTurn() Option {
	return func(o *options) { o.inTurn = true }
}

// Connect takes a token of the admin project, finds the endpoints of the region
// and agrees on Cinder's microversion. Its errors end with what to do. It does not ask for the role admin: that
// is [Cloud.VerifyAdmin], which whoever needs it asks when he needs it.
func Connect(ctx context.Context, credentials Credentials, config Config, opts ...Option) (*Cloud, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("connect to cloud: %w", err)
	}
	o := options{
		clock: wallClock(), observe: func(string, string, int) {},
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
			// A redirect would turn a POST into a GET, and carry the token elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		clock:          o.clock,
		retrier:        retrier{config: config, clock: o.clock, conditions: new(telemetry.Conditions)},
		attemptTimeout: o.attemptTimeout,
		scopes:         newScopes(o.maxScopes),
		users:          newUsersCache(),
		pageSize:       o.pageSize,
		inTurn:         o.inTurn,
		version:        microversion{turn: make(chan struct{}, 1)},
		catalog:        catalog{turn: make(chan struct{}, 1)},
	}
	c.gate = newGate(credentials, o.clock, credentials.proof(c.http))
	admin, err := c.authenticate(ctx, credentials.admin, "admin project")
	if err != nil {
		return nil, credentials.advised(err)
	}
	c.admin = admin
	t, err := admin.token()
	if err != nil {
		return nil, fmt.Errorf("connect to cloud: %w", err)
	}
	c.userID = t.userID
	if err := c.connectVersion(ctx); err != nil {
		return nil, credentials.advised(err)
	}
	return c, nil
}

// UserID returns the ID of the service user: who made the backups that are ours.
func (c *Cloud) UserID() string { return c.userID }

// AdminProjectID returns the ID of the project that lists are read in.
func (c *Cloud) AdminProjectID() string { return c.admin.projectID }

// adminRole is the role that makes a token see all projects: `admin`, in any
// project, by the default policies of Keystone, Nova and Cinder.
const adminRole = "admin"

// requireAdmin refuses where the token of the admin project did not have the
// role when it was made: Cinder would then list one project without a word. The
// role may have come back since, so a new token is asked for before.
func (c *Cloud) requireAdmin(ctx context.Context, r request) error {
	t, err := c.admin.token()
	if err == nil && !t.hasRole(adminRole) {
		_ = c.admin.renew(ctx) // where that fails, the old one tells
		t, err = c.admin.token()
	}
	if err == nil && t.hasRole(adminRole) {
		return nil
	}
	return c.notAdmin(r, t.roles)
}

func (c *Cloud) notAdmin(r request, roles []string) error {
	return r.refuse(c.admin.projectID, backup.MeansForbidden,
		fmt.Sprintf("the service user has the roles %q in the admin project: want %s", roles, adminRole))
}
