package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"
)

// A Problem is the body of an error response (RFC 9457).
type Problem struct {
	Title     string `json:"title" desc:"what the status means"`
	Status    int    `json:"status" desc:"of HTTP"`
	Detail    string `json:"detail" desc:"what was wrong, for people"`
	RequestID string `json:"request_id" desc:"by which the log knows the request"`
}

// A fault is an error whose text the client gets.
type fault struct {
	status int
	detail string
}

func (f fault) Error() string { return f.detail }

func wrong(format string, a ...any) error {
	return fault{http.StatusBadRequest, fmt.Sprintf(format, a...)}
}

// errUnknown is the same for volumes that do not exist and for volumes that the token may not see.
var errUnknown = fault{http.StatusNotFound, "no such volume is known in what this token may see"}

// faultOf returns the status and text of err for the client.
func faultOf(err error) fault {
	var known fault
	var http404 *echo.HTTPError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &http404):
		return fault{http404.Code, http.StatusText(http404.Code)}
	case errors.Is(err, ErrInvalidToken):
		return fault{http.StatusUnauthorized, "want a token of Keystone's in the header X-Auth-Token: this one is missing, unknown, expired or revoked"}
	case errors.Is(err, errNoRole):
		return fault{http.StatusForbidden, "the token is of no project, or none of its roles lets it see backups"}
	case errors.Is(err, errKeystoneDown):
		return fault{http.StatusServiceUnavailable, "Keystone does not respond, so the token cannot be validated: try again later"}
	}
	return fault{http.StatusServiceUnavailable, "Staffeln can't read its database now: try again later"}
}

// WriteProblem sends a [Problem]. The detail is text for people.
func WriteProblem(c echo.Context, status int, detail string) error {
	body, err := json.Marshal(Problem{http.StatusText(status), status, detail, c.Response().Header().Get(echo.HeaderXRequestID)})
	if err != nil {
		return err
	}
	return c.Blob(status, "application/problem+json", body)
}

// writeError writes an error of the read API.
func writeError(c echo.Context, err error) error {
	f := faultOf(err)
	if f.status >= http.StatusInternalServerError {
		zerolog.Ctx(c.Request().Context()).Warn().Err(err).Msg("read request failed")
	}
	setRetryAfter(c, f)
	if f.status == http.StatusUnauthorized {
		c.Response().Header().Set(echo.HeaderWWWAuthenticate, "Keystone")
	}
	return WriteProblem(c, f.status, f.detail)
}

// setRetryAfter sets Retry-After if the error is temporary.
func setRetryAfter(c echo.Context, f fault) {
	if f == errNoSlot {
		c.Response().Header().Set(echo.HeaderRetryAfter, "1")
	}
}
