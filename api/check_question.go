package api

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"

	"staffeln/backup"
)

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
	return strings.Clone(id), nil // not a part of the whole request line, which would stay in memory with it
}

// short keeps what goes to log and tables to what Keystone may have. It returns a copy: a part of a body would keep all of the
// body in memory.
func short(text string) string {
	const most = 255
	if len(text) > most {
		text = text[:most]
	}
	return strings.Clone(strings.ToValidUTF8(text, "\uFFFD"))
}
