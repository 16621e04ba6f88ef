package cloudsim

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Verified with cinder-api: only the text True counts, with or without quotes, whatever the status. Admins are not checked.
func TestAPI_CinderChecksPolicyBeforeItDeletes(t *testing.T) {
	l := newBench(t)
	var says string
	var status int
	var asked []url.Values
	check := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.Method != http.MethodPost {
			t.Error(r.Method, err)
		}
		asked = append(asked, r.Form)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, says)
	}))
	defer check.Close()
	id := l.tenant.full(l.attached(1))
	l.cloud.AskBeforeDelete(check.URL + "/v1/backup?backup_id=%(id)s")
	refused := `{"forbidden": {"code": 403, "message": "Policy doesn't allow backup:delete to be performed."}}`
	for _, says = range []string{"False", "", "True\n", " True", "true", `{"allowed": true}`} {
		status = 200
		l.tenant.delete("/volume/v3/{p}/backups/"+id).wantBody(403, refused)
	}
	last := asked[len(asked)-1]
	if last.Get("backup_id") != id || last.Get("rule") != `"backup:delete"` || !strings.Contains(last.Get("target"), `"id":"`+id+`"`) || !strings.Contains(last.Get("credentials"), `"project_id":"`+l.acme+`"`) {
		t.Fatal(last)
	}
	n := len(asked)
	l.foreign.delete("/volume/v3/backups/" + id).want(202) // with an admin's token
	if len(asked) != n {
		t.Fatal("asked about an admin")
	}
	other := l.tenant.full(l.attached(1))
	says, status = `"True"`, 403
	l.tenant.delete("/volume/v3/{p}/backups/" + other).want(202)

	third := l.tenant.full(l.attached(1))
	check.Close()
	l.tenant.delete("/volume/v3/{p}/backups/" + third).want(500)
	l.cloud.AskBeforeDelete("")
	l.tenant.delete("/volume/v3/{p}/backups/" + third).want(202)
}
