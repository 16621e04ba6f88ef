package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"staffeln/api/web"
)

// A Trouble shows an error to somebody at a browser.
type Trouble func(c echo.Context, status int, detail string) error

// answerError writes every error that a handler returned, or that there was no handler for: as a problem (RFC 9457) for
// programs, as a page for browsers where there are pages, and in plain text for Cinder, which shows it to nobody and
// only must not find the word in it that allows. All name the ID by which the log knows the request.
func answerError(page Trouble) echo.HTTPErrorHandler {
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
			_ = c.String(status, detail+"\n") // nobody is left to tell
		case page != nil && browses(c.Request()) && !strings.HasPrefix(path, "/v1/"):
			_ = page(c, status, detail)
		default:
			_ = web.WriteProblem(c, status, detail)
		}
	}
}

// browses tells whether a browser asks for a page to show: those alone say that they take HTML.
func browses(request *http.Request) bool {
	return strings.Contains(request.Header.Get(echo.HeaderAccept), echo.MIMETextHTML)
}

// detailOf says what was wrong, and what to do; of a fault of ours nothing that only the log should know.
func detailOf(status int, err *echo.HTTPError, method string) string {
	said, _ := err.Message.(string)
	switch {
	case status >= http.StatusInternalServerError:
		return "Staffeln can't answer this now: its log says why, by the request ID"
	case status == http.StatusTooManyRequests:
		return "this client asks too often: wait a second"
	case said != "" && said != http.StatusText(status):
		return said
	case status == http.StatusNotFound:
		return "there is nothing at this path"
	case status == http.StatusMethodNotAllowed:
		return fmt.Sprintf("this path does not take the method %.20s: the header Allow names those that it takes", method)
	case status == http.StatusRequestEntityTooLarge:
		return "the body is too large: want at most " + bodyLimit
	}
	return strings.ToLower(http.StatusText(status))
}
