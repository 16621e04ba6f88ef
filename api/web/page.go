package web

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/view"
)

//go:embed page
var files embed.FS

// policy allows our stylesheet, our icon and forms that are sent to us. It allows no scripts.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// pages adds the routes of the page.
func (w *Handler) pages(e *echo.Echo) {
	e.GET("/", w.signedIn(w.overview))
	e.GET("/volumes", w.signedIn(w.listVolumes))
	e.GET("/volumes/:volume_id", w.signedIn(w.showVolume))
	e.GET("/servers/:server_id", w.signedIn(w.showServer))
	e.GET("/backups", w.signedIn(w.listBackups))
	e.GET("/projects", w.signedIn(w.listProjects))
	e.GET("/sign-in", w.askToSignIn)
	e.POST("/sign-in", w.sameOrigin(w.signIn))
	e.POST("/sign-in/project", w.sameOrigin(w.chosen))
	e.POST("/refresh", w.sameOrigin(w.setRefresh))
	e.POST("/sign-out", w.sameOrigin(w.signOut))
	e.GET("/style.css", asset("style.css", "text/css; charset=utf-8"))
	e.GET("/icon.svg", asset("icon.svg", "image/svg+xml"))
}

func asset(name, kind string) echo.HandlerFunc {
	return func(c echo.Context) error {
		text, err := files.ReadFile("page/" + name)
		if err != nil {
			return err
		}
		c.Response().Header().Set("Cache-Control", "public, max-age=300")
		return c.Blob(http.StatusOK, kind, text)
	}
}

// sameOrigin rejects cross-origin requests.
func (w *Handler) sameOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	origin := http.NewCrossOriginProtection()
	return func(c echo.Context) error {
		if err := origin.Check(c.Request()); err != nil {
			return w.trouble(c, fault{http.StatusForbidden, "this request came from another site"})
		}
		return next(c)
	}
}

// pageData is the data that every page has, with the page's own data in Body.
type pageData struct {
	Title string
	Now   time.Time // of the database; ages are relative to it
	Who   *access
	Path  string // path of the page, for the navigation
	Body  any

	Refresh *refresh
}

// All reports whether the user sees all projects.
func (s pageData) All() bool { return s.Who != nil && s.Who.all }

// signedIn calls page for users with a session, and redirects all others to the sign-in.
func (w *Handler) signedIn(page func(echo.Context, access) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		token, err := w.token(c.Request())
		if err == nil {
			var a access
			if a, err = w.tokens.check(c.Request().Context(), token); err == nil {
				err = page(c, a)
			}
		}
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errNoSession):
			return c.Redirect(http.StatusSeeOther, "/sign-in?"+url.Values{"next": {c.Request().URL.RequestURI()}}.Encode())
		case errors.Is(err, ErrInvalidToken):
			c.SetCookie(cookie(c.Request(), ""))
			return c.Redirect(http.StatusSeeOther, "/sign-in?"+url.Values{"ended": {"1"}, "next": {c.Request().URL.RequestURI()}}.Encode())
		}
		return w.trouble(c, err)
	}
}

// trouble shows err to the user.
func (w *Handler) trouble(c echo.Context, err error) error {
	f := faultOf(err)
	if f.status >= http.StatusInternalServerError {
		zerolog.Ctx(c.Request().Context()).Warn().Err(err).Msg("page not rendered")
	}
	setRetryAfter(c, f)
	return w.Trouble(c, f.status, f.detail)
}

// Trouble shows an error of any route in the browser. The detail is what is wrong, and what to do.
func (w *Handler) Trouble(c echo.Context, status int, detail string) error {
	return w.render(c, status, "trouble", pageData{Title: http.StatusText(status), Body: map[string]any{
		"Detail": detail, "RequestID": c.Response().Header().Get(echo.HeaderXRequestID), "Session": hasSession(c.Request()),
	}})
}

func (w *Handler) render(c echo.Context, status int, name string, s pageData) error {
	h := c.Response().Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
	s.Path, s.Refresh = c.Path(), refreshOf(c.Request(), name)
	var html bytes.Buffer // buffered, so that a page is sent completely or not at all
	if err := templates[name].ExecuteTemplate(&html, "layout", s); err != nil {
		return err
	}
	return c.HTMLBlob(status, html.Bytes())
}

var templates = parsed("overview", "projects", "volumes", "volume", "server", "backups", "sign-in", "choose", "trouble")

func parsed(names ...string) map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, name := range names {
		all[name] = template.Must(template.New(name).Funcs(words).Funcs(listWords).ParseFS(files, "page/layout.html", "page/"+name+".html"))
	}
	return all
}

// words are the functions of the templates. They use the same words as the CLI.
var words = template.FuncMap{
	"clock":     view.Clock,
	"iso":       func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"seconds":   func(n int64) string { return backup.Span(view.Seconds(n)) },
	"ago":       ago,
	"decided":   func(action string) string { return capital(view.Decided(action)) },
	"does":      func(action, kind string) string { return capital(view.Does(action, kind)) },
	"past":      func(now time.Time, at *time.Time) bool { return at == nil || !at.After(now) },
	"plain":     func(name string) string { return strings.ReplaceAll(name, "_", " ") },
	"plural":    view.Plural,
	"kept":      view.KeptWords,
	"day":       viewDay,
	"dayBefore": func(t time.Time) time.Time { return t.Add(-24 * time.Hour) },
	"rfc3339":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"short":     func(r view.Reason) string { return strings.ReplaceAll(string(r.Code), "_", " ") },
}

func ago(now, at time.Time) string {
	if at.After(now) {
		return "in " + backup.Span(at.Sub(now))
	}
	return backup.Span(now.Sub(at)) + " ago"
}

func capital(words string) string { return strings.ToUpper(words[:1]) + words[1:] }
