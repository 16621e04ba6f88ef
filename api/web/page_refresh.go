package web

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

const (
	// refreshCookie is the name of the cookie that turns off that the overview reloads itself.
	refreshCookie = "staffeln-refresh"
	refreshOff    = "off"
	// refreshSeconds is how often the overview reloads itself. Other pages do not: they have forms, details and commands that
	// somebody reads or fills in.
	refreshSeconds = 60
)

// A refresh is whether a page reloads itself, and how often.
type refresh struct {
	On      bool
	Seconds int
}

// refreshOf returns nil for pages that never reload themselves.
func refreshOf(q *http.Request, page string) *refresh {
	if page != "overview" {
		return nil
	}
	kept, err := q.Cookie(refreshCookie)
	return &refresh{On: err != nil || kept.Value != refreshOff, Seconds: refreshSeconds}
}

// setRefresh turns the reloading on or off, in this browser.
func (w *Handler) setRefresh(c echo.Context) error {
	value := ""
	if c.FormValue("refresh") == refreshOff {
		value = refreshOff
	}
	c.SetCookie(choiceCookie(c.Request(), refreshCookie, "/", value))
	return c.Redirect(http.StatusSeeOther, "/")
}

// choiceCookie returns a cookie that remembers for a year what somebody chose, and nothing secret. An empty value ends it.
func choiceCookie(q *http.Request, name, path, value string) *http.Cookie {
	c := cookie(q, value) //nolint:gosec // cookie sets Secure exactly where the request came over TLS
	c.Name, c.Path = name, path
	if value != "" {
		c.MaxAge = 365 * 24 * 3600
	}
	return c
}
