package api

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"

	"staffeln/backup"
)

// isID matches an ID as Cinder writes it.
var isID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// A question is a delete check request of Cinder: may this user delete this backup? Only the backup ID is always present;
// `curl -X POST` without a body sends nothing else.
type question struct {
	BackupID string
	Backup   backup.Backup // as the body describes it
	Who      requester
}

// requester is the user who wants to delete the backup, as the body names him; Cinder takes it from the token.
type requester struct{ UserID, ProjectID, Roles string }

// requestedBackup returns the backup ID of the query, in lower case. The query must have exactly one. The body has no
// influence on it.
func requestedBackup(query url.Values) (string, error) {
	given, is := query["backup_id"]
	switch {
	case !is:
		// The Python Staffeln sends the same response.
		return "", echo.NewHTTPError(http.StatusForbidden, "the query has no backup_id: want /v1/backup?backup_id=ID")
	case len(given) > 1:
		return "", echo.NewHTTPError(http.StatusBadRequest, "the query has several backup_id: want one")
	}
	id := strings.ToLower(given[0])
	if !isID.MatchString(id) {
		return "", echo.NewHTTPError(http.StatusBadRequest, "backup_id is no UUID: want it as Cinder writes it")
	}
	return strings.Clone(id), nil // a copy, because a substring would keep the whole request line in memory
}

// short cuts values for log and tables to the length that Keystone allows. It returns a copy, because a substring would keep
// the whole body in memory.
func short(text string) string {
	const most = 255
	if len(text) > most {
		text = text[:most]
	}
	return strings.Clone(strings.ToValidUTF8(text, "\uFFFD"))
}
