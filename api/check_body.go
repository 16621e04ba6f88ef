package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

const (
	// bodyMost is the maximum length of a body. Cinder sends 1 to 4 KiB. Only tens of KiB of metadata, which a tenant would
	// have to put on a backup of its own on purpose, make a body longer than this. An administrator must delete such a backup.
	bodyMost = 128 << 10
	// bodyUsual is more than the length of an ordinary body. Longer bodies are parsed one at a time.
	bodyUsual = 8 << 10
)

var (
	errTooLarge   = echo.NewHTTPError(http.StatusRequestEntityTooLarge, "the body is too large: want at most 131072 bytes")
	errNotWhole   = echo.NewHTTPError(http.StatusBadRequest, "the body did not come whole")
	errOverloaded = echo.NewHTTPError(http.StatusServiceUnavailable)
)

// declared returns the maximum length of the body, from the header alone: no byte of a body with a too large Content-Length is
// read.
func declared(request *http.Request) (int, error) {
	switch length := request.ContentLength; {
	case length > bodyMost:
		return 0, errTooLarge
	case length < 0: // chunked: the length is unknown
		return bodyMost, nil
	default:
		return int(length), nil
	}
}

// format is the encoding of a body.
type format int

const (
	formFormat format = iota + 1
	jsonFormat
)

// formatOf returns the format of the body. It rejects what Cinder never sends, such as compressed bodies: a few KiB of those
// can become gigabytes.
func formatOf(header http.Header) (format, error) {
	if encoding := header.Get(echo.HeaderContentEncoding); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return 0, echo.NewHTTPError(http.StatusUnsupportedMediaType, "the body is compressed: want it plain")
	}
	kind, _, err := mime.ParseMediaType(header.Get(echo.HeaderContentType))
	switch {
	case err == nil && kind == echo.MIMEApplicationForm:
		return formFormat, nil
	case err == nil && kind == echo.MIMEApplicationJSON:
		return jsonFormat, nil
	}
	return 0, echo.NewHTTPError(http.StatusUnsupportedMediaType, "the body is neither a form nor JSON")
}

// readBody reads at most so many bytes. If the length was declared, the buffer has exactly that size.
func readBody(body io.Reader, most int, chunked bool) ([]byte, error) {
	if !chunked {
		text := make([]byte, most)
		if _, err := io.ReadFull(body, text); err != nil {
			return nil, errNotWhole.WithInternal(err)
		}
		return text, nil
	}
	text, err := io.ReadAll(io.LimitReader(body, int64(most)+1))
	switch {
	case err != nil:
		return nil, errNotWhole.WithInternal(err)
	case len(text) > most:
		return nil, errTooLarge
	}
	return text, nil
}

// parse reads a body into q. A body that cannot be parsed is an error, and so a refusal. Values that are missing or of another
// type than Cinder's are left empty.
func (q *question) parse(body []byte, as format) error {
	if len(body) == 0 {
		return nil
	}
	var t cinderBody
	var err error
	if as == formFormat {
		err = t.form(string(body))
	} else {
		err = t.json(body)
	}
	if err != nil {
		known := new(echo.HTTPError)
		if errors.As(err, &known) {
			return known
		}
		return echo.NewHTTPError(http.StatusBadRequest, "the body is not a request of Cinder's: "+why(err)).SetInternal(err)
	}
	q.Backup, q.Who = t.backup(), requester{short(string(t.user)), short(string(t.project)), short(strings.Join(t.roles, ","))}
	return nil
}
