package web

import (
	"context"
	"errors"

	"github.com/labstack/echo/v4"

	"staffeln/db"
	"staffeln/view"
)

// server returns one server. The error for a server that the token may not see is the same as for one that does not exist.
func (w *Handler) server(ctx context.Context, a access, id string, _ map[string]string) (any, error) {
	return w.serverOf(ctx, a, id)
}

func (w *Handler) serverOf(ctx context.Context, a access, id string) (s *view.ServerProtection, err error) {
	if len(id) > longest {
		return nil, errUnknown
	}
	err = w.read(ctx, func(ctx context.Context, l *db.Snapshot) error {
		s, err = w.reader(a).ServerOf(ctx, l, id)
		if several := new(db.AmbiguousError); errors.Is(err, db.ErrUnknownServer) || errors.As(err, several) {
			return errUnknown
		}
		return err
	})
	return s, err
}

// showServer shows whether a server is protected, and how it asks for backups.
func (w *Handler) showServer(c echo.Context, a access) error {
	if _, err := read(c.Request().URL.RawQuery, nil); err != nil {
		return err
	}
	s, err := w.serverOf(c.Request().Context(), a, c.Param("server_id"))
	if err != nil {
		return err
	}
	return w.render(c, 200, "server", pageData{Title: "Server " + s.Name(), Now: s.At, Who: &a, Body: s})
}
