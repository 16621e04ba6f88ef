package e2e

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A day that nobody can read is explained at its field, in a page that still has the form; programs get a problem.
func TestUnreadableDayIsExplainedAtItsField(t *testing.T) {
	t.Parallel()
	r := newSite(t, 1000*time.Hour)
	cookie := r.cookie("alice", "acme")
	got := r.get("/backups?"+url.Values{"until": {"<b>soon"}, "search": {"web"}, "state": {"available"}}.Encode(), "", cookie)
	require.Equal(t, http.StatusBadRequest, got.StatusCode)
	require.Contains(t, got.text, `value="&lt;b&gt;soon"`, "what was written can be corrected")
	require.Contains(t, got.text, `aria-invalid="true" aria-describedby="until-fault"`)
	require.Contains(t, got.text, "Not a day or time")
	require.Contains(t, got.text, `value="web"`)
	require.NotContains(t, got.text, "<tbody>")
	for _, day := range []string{"yesterday", "3 days ago", r.Clock.Now().Format("2 Jan")} {
		require.Equal(t, http.StatusOK, r.get("/backups?"+url.Values{"from": {day}}.Encode(), "", cookie).StatusCode, day)
	}
	require.Equal(t, "application/problem+json", r.get("/v1/backups?until=soon", r.token("alice", "acme"), nil).Header.Get("Content-Type"))
}

// The overview's numbers of failures are links to lists with just those backups.
func TestFailuresOfTheOverviewAreListed(t *testing.T) {
	t.Parallel()
	r := newSite(t, 1000*time.Hour)
	r.addTroubles()
	page := r.get("/", "", r.cookie("alice", "acme"))
	link := between(page.text, `<a href="/backups?state=failed&amp;reason=volume_status&amp;ended=`, `"`)
	require.NotEmpty(t, link, page.text)
	listed := r.ids(t, "/v1/backups?limit=100&state=failed&reason=volume_status&ended="+link, "backups", "record_id", r.token("alice", "acme"))
	require.Len(t, listed, 1)
	require.Contains(t, page.text, "1 × volume status</a>")
	require.Empty(t, r.ids(t, "/v1/backups?limit=100&state=failed&reason=quota_exceeded", "backups", "record_id", r.token("alice", "acme")))
}
