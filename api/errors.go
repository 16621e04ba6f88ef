package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"staffeln/api/web"
)

// A Trouble renders an error page for a browser.
type Trouble func(c echo.Context, status int, detail string) error

// errorHandler writes every error that a handler or the router returned: as a problem (RFC 9457) for programs, as a page for
// browsers if there are pages, and as plain text for Cinder. Cinder does not show the text, but takes `True` as permission, so
// the text must not contain it. Each response has the request ID, which is also in the log.
func errorHandler(page Trouble) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		status := http.StatusInternalServerError
		known := new(echo.HTTPError)
		if errors.As(err, &known) {
			status = known.Code
		}
		detail := detailOf(status, known, c.Request().Method)
		path := c.Request().URL.Path
		switch {
		case path == CheckPath:
			_ = c.String(status, detail+"\n") // nothing to do if the client is gone
		case page != nil && browses(c.Request()) && !strings.HasPrefix(path, "/v1/"):
			_ = page(c, status, detail)
		default:
			_ = web.WriteProblem(c, status, detail)
		}
	}
}

// browses reports whether a browser asks for a page: only browsers accept HTML.
func browses(request *http.Request) bool {
	return strings.Contains(request.Header.Get(echo.HeaderAccept), echo.MIMETextHTML)
}

// detailOf returns what was wrong and what to do. For server errors it returns no internal detail; the log has it.
func detailOf(status int, err *echo.HTTPError, method string) string {
	message, _ := err.Message.(string)
	switch {
	case status >= http.StatusInternalServerError:
		return "Staffeln cannot serve this request now: search its log for the request ID"
	case status == http.StatusTooManyRequests:
		return "this client asks too often: wait a second"
	case message != "" && message != http.StatusText(status):
		return message
	case status == http.StatusNotFound:
		return "there is nothing at this path"
	case status == http.StatusMethodNotAllowed:
		return fmt.Sprintf("this path does not take the method %.20s: the header Allow names those that it takes", method)
	case status == http.StatusRequestEntityTooLarge:
		return "the body is too large: want at most " + bodyLimit
	}
	return strings.ToLower(http.StatusText(status))
}
