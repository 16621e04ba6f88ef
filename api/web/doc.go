// Package web is the HTTP interface for users and programs: the read API below /v1, and the page at /.
//
// Every request needs a Keystone token. A project-scoped token sees that project, a token with an admin role sees all
// projects. Keystone validates the tokens, through an interface that cmd implements. The package changes nothing but the
// session of the user.
package web

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/view"
)

// Config is which roles may see what. Its variables are those of the API.
type Config struct {
	AdminRoles     []string        `split_words:"true" default:"admin" desc:"Names of Keystone roles. A token with one of them sees all projects in the read API and on the page. A domain-scoped token never does."`
	TenantRoles    []string        `split_words:"true" default:"reader,member,admin" desc:"Names of Keystone roles. A token with one of them sees its own project there."`
	SignInFailures int             `split_words:"true" default:"5" desc:"Failed sign-ins to the page after which one account is refused for up to 15 minutes without a request to Keystone. The limit of one address (of IPv6, its /64 network) is six times as high. Choose a smaller number than the one at which Keystone itself locks an account. Each api process counts on its own. 0 = no limit."`
	TokenCacheTime backup.Duration `split_words:"true" default:"60" desc:"How long the result of a token validation is cached, at most until the token expires. During this time a token that was revoked, or that lost its role, still works. 0 = each request is validated by Keystone."`
}

// Validate rejects empty role names and values out of range.
func (c Config) Validate() error {
	var faults []error
	for name, roles := range map[string][]string{"ADMIN_ROLES": c.AdminRoles, "TENANT_ROLES": c.TenantRoles} {
		if slices.ContainsFunc(roles, func(r string) bool { return strings.TrimSpace(r) == "" }) {
			faults = append(faults, errors.New(name+": a role without a name: want names, divided by commas"))
		}
	}
	if c.SignInFailures < 0 {
		faults = append(faults, errors.New("SIGN_IN_FAILURES: want 0 (no limit) or more"))
	}
	if c.TokenCacheTime < 0 || c.TokenCacheTime.Std() > time.Hour {
		faults = append(faults, errors.New("TOKEN_CACHE_TIME: want 0 to 1h"))
	}
	return errors.Join(faults...)
}

// Deps are the dependencies of the handler.
type Deps struct {
	// DB has connections for the pages alone ([db.DB.Pages]). Their number is the maximum of concurrent read transactions.
	DB       *db.DB
	Keystone Keystone
	// ServiceUser reports whether a login is that of our service user, which is refused without asking Keystone; nil: unknown.
	ServiceUser func(Login) bool
	// Settings are the scheduler's settings, which decide what is late and what comes next. Given reports whether a variable
	// is set.
	Settings backup.Settings
	Given    func(variable string) bool
	// Now is the clock for the expiry of Keystone's tokens.
	Now func() time.Time
}

// A Handler serves the read API and the page.
type Handler struct {
	cfg          Config
	deps         Deps
	tokens       *tokens
	cookieCipher *cookieCipher
	readSlots    readSlots

	attempts *attempts
}

// New returns a handler; [Handler.Routes] adds it to a server.
func New(cfg Config, d Deps) *Handler {
	return &Handler{
		cfg: cfg, deps: d, tokens: newTokens(cfg, d), cookieCipher: &cookieCipher{key: d.DB.SessionKey}, readSlots: newReadSlots(maxReads),
		attempts: newAttempts(cfg.SignInFailures, d.Now),
	}
}

// Routes adds the read API and the page.
func (w *Handler) Routes(e *echo.Echo) {
	for _, o := range w.operations() {
		e.GET(o.route(), w.api(o))
	}
	w.pages(e)
}

// reader returns a reader for what the access may see.
func (w *Handler) reader(a access) view.Reader {
	return view.Reader{Settings: w.deps.Settings, Project: a.project(), Given: w.deps.Given}
}
