package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"

	"staffeln/backup"
)

// questionLimit is more than Cinder can send: it takes requests of up to 112 KiB itself, of which a form makes up to four
// times as much.
const questionLimit = 512 << 10

// isID is the form in which Cinder writes IDs.
var isID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// A question is what Cinder asks: whether somebody may delete a backup. Only the backup's ID is always there; a plain
// `curl -X POST` tells nothing else.
type question struct {
	BackupID string
	Backup   backup.Backup // as the body tells of it
	Who      asker
}

// asker is who wants the backup deleted, as the body tells; Cinder knows it from the token.
type asker struct{ UserID, ProjectID, Roles string }

// askedFor reads the ID from the query, which alone decides; exactly one, in whatever case.
func askedFor(query url.Values) (string, error) {
	given, is := query["backup_id"]
	switch {
	case !is:
		// As the Python Staffeln answers.
		return "", echo.NewHTTPError(http.StatusForbidden, "the query has no backup_id: want /v1/backup?backup_id=ID")
	case len(given) > 1:
		return "", echo.NewHTTPError(http.StatusBadRequest, "the query has several backup_id: want one")
	}
	id := strings.ToLower(given[0])
	if !isID.MatchString(id) {
		return "", echo.NewHTTPError(http.StatusBadRequest, "backup_id is no UUID: want it as Cinder writes it")
	}
	return id, nil
}

// read adds what the body tells, a form or JSON. What can't be read is an error, and so a refusal; what is not there, or
// not of the kind that Cinder sends, tells nothing.
func (q *question) read(request *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(nil, request.Body, questionLimit))
	if too := new(http.MaxBytesError); errors.As(err, &too) {
		return echo.NewHTTPError(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is too large: want at most %d bytes", questionLimit))
	}
	if err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "the body did not come whole").SetInternal(err)
	}
	if len(body) == 0 {
		return nil
	}
	var parts struct{ Target, Credentials json.RawMessage }
	kind, _, err := mime.ParseMediaType(request.Header.Get(echo.HeaderContentType))
	switch {
	case err == nil && kind == echo.MIMEApplicationForm:
		form, err := url.ParseQuery(string(body))
		if err != nil || len(form["target"]) > 1 || len(form["credentials"]) > 1 {
			return echo.NewHTTPError(http.StatusBadRequest, "the body is no form with one target and one credentials").SetInternal(err)
		}
		parts.Target, parts.Credentials = json.RawMessage(form.Get("target")), json.RawMessage(form.Get("credentials"))
	case err == nil && kind == echo.MIMEApplicationJSON:
		if err := json.Unmarshal(body, &parts); err != nil {
			return echo.NewHTTPError(http.StatusBadRequest, "the body is no JSON object").SetInternal(err)
		}
	default:
		return echo.NewHTTPError(http.StatusUnsupportedMediaType, "the body is neither a form nor JSON")
	}
	target, err := object(parts.Target)
	if err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "target is no JSON object").SetInternal(err)
	}
	credentials, err := object(parts.Credentials)
	if err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "credentials is no JSON object").SetInternal(err)
	}
	q.Backup, q.Who = told(target), who(credentials)
	return nil
}

func object(text json.RawMessage) (map[string]any, error) {
	if len(text) == 0 {
		return nil, nil //nolint:nilnil // a map that is not there is read like an empty one
	}
	var o map[string]any
	err := json.Unmarshal(text, &o)
	return o, err
}

// told is what of Cinder's target a verdict needs.
func told(target map[string]any) backup.Backup {
	b := backup.Backup{ID: word(target["id"]), UserID: word(target["user_id"]), Description: word(target["display_description"])}
	metadata, _ := target["metadata"].(map[string]any)
	b.Metadata = make(map[string]string, len(metadata))
	for key, value := range metadata {
		b.Metadata[key] = word(value)
	}
	return b
}

func who(credentials map[string]any) asker {
	var roles []string
	list, _ := credentials["roles"].([]any)
	for _, role := range list {
		roles = append(roles, word(role))
	}
	return asker{short(word(credentials["user_id"])), short(word(credentials["project_id"])), short(strings.Join(roles, ","))}
}

func word(value any) string {
	text, _ := value.(string)
	return text
}

// short keeps what goes to log and tables to what Keystone may have.
func short(text string) string {
	const most = 255
	if len(text) > most {
		text = text[:most]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
