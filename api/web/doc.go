// Package web is what people and programs see of Staffeln over HTTP: the read API below /v1, and the page at /.
//
// Nothing of it is for anybody without a token of Keystone's. A token of a project shows that project, one with an
// operator's role shows all; whose a token is, Keystone says, through the interface that cmd hands in. It changes
// nothing but a person's own session.
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

// Config says whom the window shows what. Its variables are the API's own.
type Config struct {
	AdminRoles     []string        `split_words:"true" default:"admin" desc:"Names of Keystone roles of which one makes a token show all projects in the read API and on the page. A token of a domain never does."`
	TenantRoles    []string        `split_words:"true" default:"reader,member,admin" desc:"Names of Keystone roles of which one makes a token show its own project there."`
	SignInFailures int             `split_words:"true" default:"5" desc:"Failed sign-ins to the page by which one account is refused for up to 15 minutes, and six times as many from one address (of IPv6, its /64 network): Keystone is not asked then. Choose fewer than Keystone itself locks an account after. Each api counts for itself. 0 = no limit."`
	TokenCacheTime backup.Duration `split_words:"true" default:"60" desc:"How long an answer of Keystone's about a token is believed, never beyond the token's own end: so long a token that was revoked, or lost its role, still shows what it showed. 0 = each request asks Keystone."`
}

// Validate tells roles that nobody can have.
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

// Deps are what the window asks of others.
type Deps struct {
	// DB has connections of the window's own ([db.DB.Pages]): it has no more looks at a time than these.
	DB       *db.DB
	Keystone Keystone
	// ServiceUser tells the login of our service user, which is refused without asking Keystone; nil: it is not known.
	ServiceUser func(Login) bool
	// Settings are the scheduler's rules, by which it is judged what is late and what comes next; Given tells which of
	// their variables are set.
	Settings backup.Settings
	Given    func(variable string) bool
	// Now is the clock that Keystone's tokens end by.
	Now func() time.Time
}

// A Window answers the read API and the page.
type Handler struct {
	cfg          Config
	deps         Deps
	tokens       *tokens
	cookieCipher *cookieCipher
	readSlots    readSlots

	attempts *attempts
}

// New answers the window; [Handler.Routes] adds it to a server.
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

// reader reads for whoever has this access.
func (w *Handler) reader(a access) view.Reader {
	return view.Reader{Settings: w.deps.Settings, Project: a.project(), Given: w.deps.Given}
}
