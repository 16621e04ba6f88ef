package cloudsim

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Verified with cinder-api: only the text True counts, with or without quotes and with any status. Admins are not checked.
func TestAPI_CinderChecksPolicyBeforeItDeletes(t *testing.T) {
	l := newBench(t)
	var text string
	var status int
	var requests []url.Values
	check := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.Method != http.MethodPost {
			t.Error(r.Method, err)
		}
		requests = append(requests, r.Form)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	defer check.Close()
	id := l.tenant.full(l.attached(1))
	l.cloud.AskBeforeDelete(check.URL + "/v1/backup?backup_id=%(id)s")
	refused := `{"forbidden": {"code": 403, "message": "Policy doesn't allow backup:delete to be performed."}}`
	for _, text = range []string{"False", "", "True\n", " True", "true", `{"allowed": true}`} {
		status = 200
		l.tenant.delete("/volume/v3/{p}/backups/"+id).wantBody(403, refused)
	}
	last := requests[len(requests)-1]
	if last.Get("backup_id") != id || last.Get("rule") != `"backup:delete"` || !strings.Contains(last.Get("target"), `"id":"`+id+`"`) || !strings.Contains(last.Get("credentials"), `"project_id":"`+l.acme+`"`) {
		t.Fatal(last)
	}
	n := len(requests)
	l.foreign.delete("/volume/v3/backups/" + id).want(202) // with an admin's token
	if len(requests) != n {
		t.Fatal("an admin was checked")
	}
	other := l.tenant.full(l.attached(1))
	text, status = `"True"`, 403
	l.tenant.delete("/volume/v3/{p}/backups/" + other).want(202)

	third := l.tenant.full(l.attached(1))
	check.Close()
	l.tenant.delete("/volume/v3/{p}/backups/" + third).want(500)
	l.cloud.AskBeforeDelete("")
	l.tenant.delete("/volume/v3/{p}/backups/" + third).want(202)
}
