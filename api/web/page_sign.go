package web

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"

	"staffeln/view"
)

// localPath returns the path to redirect to after the sign-in: always a path of this site, even if a link contains another one.
func localPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") || strings.HasPrefix(next, "/sign-") {
		return "/"
	}
	return next
}

// serviceUserRefused is the message for a sign-in as the service user. That user has every right in the cloud; its password
// must not be typed into a page.
const serviceUserRefused = "This is the account that Staffeln itself works with: sign in as yourself."

// form is the data of the sign-in page. The password is never sent back.
type form struct {
	Login

	Next, Refused string
	Ended         bool
}

func (w *Handler) askToSignIn(c echo.Context) error {
	return w.render(c, http.StatusOK, "sign-in", pageData{Title: "Sign in", Body: form{
		Login: Login{Domain: lastDomain(c.Request())}, Next: localPath(c.QueryParam("next")), Ended: c.QueryParam("ended") != "",
	}})
}

func (w *Handler) signIn(c echo.Context) error {
	f := form{Next: localPath(c.FormValue("next")), Login: Login{
		User: strings.TrimSpace(c.FormValue("user")), Domain: strings.TrimSpace(c.FormValue("domain")),
		Project: strings.TrimSpace(c.FormValue("project")), Password: c.FormValue("password"),
	}}
	again := func(status int, refused string) error {
		f.Password, f.Refused = "", refused
		return w.render(c, status, "sign-in", pageData{Title: "Sign in", Body: f})
	}
	if f.User == "" || f.Domain == "" || f.Password == "" {
		return again(http.StatusUnprocessableEntity, "Fill in user, domain and password.")
	}
	ctx := c.Request().Context()
	if w.deps.ServiceUser != nil && w.deps.ServiceUser(f.Login) { // Keystone is not asked: failures could lock the service user
		return again(http.StatusForbidden, serviceUserRefused)
	}
	from := Client(c.RealIP())
	if next, refused := w.attempts.begin(f.Login, from); refused {
		zerolog.Ctx(ctx).Warn().Str("user_name", f.User).Str("remote", c.RealIP()).Time("next", next).Msg("sign-in refused: too many failed attempts")
		c.Response().Header().Set("Retry-After", strconv.Itoa(max(1, int(next.Sub(w.deps.Now()).Seconds()))))
		return again(http.StatusTooManyRequests, "Too many sign-ins of this user, or from your address, failed. Try again at "+view.Clock(next)+".")
	}
	token, whose, err := w.deps.Keystone.SignIn(ctx, f.Login)
	if errors.Is(err, ErrSignIn) {
		zerolog.Ctx(ctx).Warn().Str("user_name", f.User).Str("project_name", f.Project).Str("remote", c.RealIP()).Msg("sign-in refused")
		return again(http.StatusUnauthorized, "Keystone refuses this user, password, domain or project.")
	}
	if err != nil {
		w.attempts.undo(f.Login, from)
		zerolog.Ctx(ctx).Warn().Err(err).Msg("sign-in not possible")
		return again(http.StatusServiceUnavailable, "Keystone does not respond. Try again later.")
	}
	w.attempts.succeeded(f.Login, from)
	if f.Project == "" {
		return w.chooseProject(c, token, f, again)
	}
	return w.beginSession(c, token, whose, f, again)
}

// signOut ends the session in the browser and on all replicas. It also revokes the token, if Keystone responds.
func (w *Handler) signOut(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	if token, err := w.token(c.Request()); err == nil {
		w.tokens.evict(token)
		if err := w.deps.DB.SignOut(c.Request().Context(), sha256.Sum256([]byte(token))); err != nil {
			return w.trouble(c, err) // the cookie is kept, so the user can try again
		}
		if err := w.deps.Keystone.Revoke(c.Request().Context(), token); err != nil {
			zerolog.Ctx(c.Request().Context()).Warn().Err(err).Msg("token of a signed-out user not revoked, valid until it expires")
		}
	}
	c.SetCookie(cookie(c.Request(), ""))
	return c.Redirect(http.StatusSeeOther, "/sign-in")
}
