package web

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"
)

// A ProjectName is a project in which a user has a role.
type ProjectName struct{ ID, Name string }

// choice is the data of the page on which a user with several projects chooses one. Session is the encrypted token without a
// project, which shows nothing by itself.
type choice struct {
	Next, Session, Refused string
	Projects               []ProjectName
}

// chooseProject signs a user in who named no project: at once if there is only one.
func (w *Handler) chooseProject(c echo.Context, token string, f form, again func(status int, refused string) error) error {
	ctx := c.Request().Context()
	all, err := w.deps.Keystone.OwnProjects(ctx, token)
	switch {
	case err != nil:
		zerolog.Ctx(ctx).Warn().Err(err).Msg("projects of a user not listed")
		return again(http.StatusServiceUnavailable, "Keystone does not list your projects. Try again later, or name the project.")
	case len(all) == 0:
		return again(http.StatusForbidden, "You have no role in any project.")
	case len(all) == 1:
		scoped, whose, err := w.deps.Keystone.Scope(ctx, token, all[0].ID)
		if err != nil {
			zerolog.Ctx(ctx).Warn().Err(err).Msg("sign-in to the only project not possible")
			return again(http.StatusServiceUnavailable, "Keystone does not let you into your project. Try again later.")
		}
		return w.beginSession(c, scoped, whose, f, again)
	}
	encrypted, err := w.cookieCipher.encryptFor(ctx, choosing, token)
	if err != nil {
		return w.trouble(c, err)
	}
	rememberDomain(c, f.Domain)
	return w.renderChoice(c, http.StatusOK, choice{Next: f.Next, Session: encrypted, Projects: all})
}

func (w *Handler) renderChoice(c echo.Context, status int, of choice) error {
	slices.SortFunc(of.Projects, func(a, b ProjectName) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
	})
	return w.render(c, status, "choose", pageData{Title: "Choose a project", Body: of})
}

// chosen signs a user in to the project that was chosen.
func (w *Handler) chosen(c echo.Context) error {
	ctx := c.Request().Context()
	of := choice{Next: localPath(c.FormValue("next")), Session: c.FormValue("session")}
	ended := func() error { return c.Redirect(http.StatusSeeOther, "/sign-in?ended=1") }
	token, err := w.cookieCipher.decryptFor(ctx, choosing, of.Session)
	switch {
	case errors.Is(err, errNoSession):
		return ended()
	case err != nil:
		return w.trouble(c, err)
	}
	again := func(status int, refused string) error {
		of.Refused = refused
		of.Projects, err = w.deps.Keystone.OwnProjects(ctx, token)
		if errors.Is(err, ErrInvalidToken) {
			return ended()
		}
		return w.renderChoice(c, status, of)
	}
	scoped, whose, err := w.deps.Keystone.Scope(ctx, token, c.FormValue("project"))
	switch {
	case errors.Is(err, ErrSignIn):
		return again(http.StatusForbidden, "Keystone does not let you into this project.")
	case err != nil:
		zerolog.Ctx(ctx).Warn().Err(err).Msg("sign-in not possible")
		return again(http.StatusServiceUnavailable, "Keystone does not respond. Try again later.")
	}
	return w.beginSession(c, scoped, whose, form{Next: of.Next}, again)
}

// beginSession gives the user a session with a token, unless it is the service user's or its roles allow nothing.
func (w *Handler) beginSession(c echo.Context, token string, whose Holder, f form, again func(status int, refused string) error) error {
	ctx := c.Request().Context()
	if known, err := w.deps.DB.ServiceUserID(ctx); err != nil || known == whose.UserID {
		_ = w.deps.Keystone.Revoke(ctx, token) // it expires by itself
		if err != nil {
			return w.trouble(c, err)
		}
		return again(http.StatusForbidden, serviceUserRefused)
	}
	if _, err := w.cfg.access(whose); err != nil {
		_ = w.deps.Keystone.Revoke(ctx, token) // it expires by itself
		return again(http.StatusForbidden, "None of your roles in this project lets you see backups.")
	}
	encrypted, err := w.cookieCipher.encrypt(ctx, token)
	if err != nil {
		return w.trouble(c, err)
	}
	if len(encrypted) > longestCookie-256 { // the limit includes name and attributes
		return again(http.StatusForbidden, "Your token is too long for a browser's cookie. Use the read API with it.")
	}
	c.SetCookie(cookie(c.Request(), encrypted))
	if f.Domain != "" {
		rememberDomain(c, f.Domain)
	}
	zerolog.Ctx(ctx).Info().Str("user_id", whose.UserID).Str("project_id", whose.ProjectID).Msg("signed in")
	return c.Redirect(http.StatusSeeOther, f.Next)
}

// domainCookie is the name of the cookie with the name of the domain of the last sign-in, and of nothing else.
const domainCookie = "staffeln-domain"

func rememberDomain(c echo.Context, domain string) {
	c.SetCookie(choiceCookie(c.Request(), domainCookie, "/sign-in", base64.RawURLEncoding.EncodeToString([]byte(domain))))
}

// lastDomain returns the domain of the last sign-in.
func lastDomain(q *http.Request) string {
	if kept, err := q.Cookie(domainCookie); err == nil {
		if name, err := base64.RawURLEncoding.DecodeString(kept.Value); err == nil && len(name) > 0 && len(name) <= longest {
			return string(name)
		}
	}
	return "Default"
}

// keystoneChooser is the part of [Keystone] by which a user chooses a project.
type keystoneChooser interface {
	// OwnProjects lists the projects in which the token's owner has a role.
	OwnProjects(ctx context.Context, token string) ([]ProjectName, error)
	// Scope requests a token of a project.
	Scope(ctx context.Context, token, projectID string) (scoped string, whose Holder, err error)
}
