package rig

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit/mailbox"
)

// The routes of requests about backups in cloudsim.
const (
	CreateRoute = "POST /volume/v3/{project}/backups"
	DeleteRoute = "DELETE /volume/v3/{project}/backups/{backup}"
	ReadRoute   = "GET /volume/v3/{project}/backups/{backup}"
	ListRoute   = "GET /volume/v3/{project}/backups/detail"
	ActionRoute = "POST /volume/v3/{project}/backups/{backup}/action"
)

// Sender is the sender address of reports.
const Sender = "staffeln@ops.example"

// MailText returns the plain text of a mail without the soft line breaks of its encoding.
func MailText(m mailbox.Mail) string {
	_, text, _ := strings.Cut(m.Body, "\r\n\r\n")
	text, _, _ = strings.Cut(text, "\r\n--")
	return strings.ReplaceAll(strings.ReplaceAll(text, "=\r\n", ""), "=3D", "=")
}

// RequireDocumented asserts that the help text names every key, and that each time is in RFC 3339.
func RequireDocumented(t *testing.T, help string, held any) {
	t.Helper()
	switch held := held.(type) {
	case map[string]any:
		for key, value := range held {
			require.Regexp(t, `^[a-z]+(_[a-z]+)*$`, key)
			require.True(t, regexp.MustCompile(`(?m)^ +`+key+`(\[\])? +\S`).MatchString(help), "no word on %s", key)
			if text, ok := value.(string); ok && (strings.HasSuffix(key, "_at") || key == "at") {
				_, err := time.Parse(time.RFC3339, text)
				require.NoError(t, err, key)
			}
			RequireDocumented(t, help, value)
		}
	case []any:
		for _, one := range held {
			RequireDocumented(t, help, one)
		}
	}
}
