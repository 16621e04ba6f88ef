package api

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/api/web"
	"staffeln/backup"
)

// FuzzQuestion sends arbitrary bodies: nothing panics, no error message contains `True`, and the body never changes which
// backup the request is about.
func FuzzQuestion(f *testing.F) {
	form, kind := as(unknown, alice, alice).form()
	f.Add("backup_id="+unknown, kind, form)
	text, kind := as(unknown, alice, alice).json()
	f.Add("backup_id="+strings.ToUpper(unknown), kind, text)
	f.Add("backup_id=True&backup_id=x", "application/json; charset=", `{"target":{"metadata":[[[]]],"id":{}},"credentials":null}`)
	f.Add("%zz;backup_id", "text/plain", "True")
	f.Add("backup_id="+unknown, "application/json", `{"target":`+strings.Repeat(`{"a":[`, 400)+`1`+strings.Repeat(`]}`, 400)+`,"target":null}`)
	f.Add("backup_id="+unknown, "application/x-www-form-urlencoded", "t%61rget={}&target=%7B%7D&credentials=")
	f.Add("", "application/x-www-form-urlencoded", "target=%7B%22id%22%3A%00%7D&credentials={\"roles\":[1,null,\"a\"]}")
	f.Fuzz(func(t *testing.T, query, kind, body string) {
		values, _ := url.ParseQuery(query)
		id, err := requestedBackup(values)
		if err != nil {
			require.NotEqual(t, "True", err.Error())
			require.Empty(t, id)
			return
		}
		require.True(t, isID.MatchString(id))
		require.Equal(t, strings.ToLower(values.Get("backup_id")), id)
		q := question{BackupID: id}
		if as, err := formatOf(http.Header{"Content-Type": {kind}}); err != nil {
			require.NotEqual(t, "True", err.Error())
		} else if err := q.parse([]byte(body), as); err != nil {
			require.NotEqual(t, "True", err.Error())
			require.Empty(t, q.Who)
		} else if as == jsonFormat && body != "" {
			require.True(t, json.Valid([]byte(body)), "what is no JSON is refused")
		}
		require.Equal(t, id, q.BackupID)
		for _, word := range []string{q.Who.UserID, q.Who.ProjectID, q.Who.Roles} {
			require.LessOrEqual(t, len(word), 3*255)
		}
		d := backup.DeleteRequest{Us: backup.Identity{Installation: "i", UserID: "u"}, Recorded: true, State: backup.Available, Backup: q.Backup, By: q.Who.UserID}
		require.False(t, d.Judgement().Allowed(), "no body makes a deletion of what is on record allowed")
	})
}

// FuzzClient passes arbitrary addresses to Client.
func FuzzClient(f *testing.F) {
	f.Add("192.0.2.1")
	f.Add("fe80::1%eth0")
	f.Fuzz(func(t *testing.T, address string) {
		if _, err := netip.ParseAddr(address); err != nil {
			require.Equal(t, address, web.Client(address))
			return
		}
		require.NotContains(t, web.Client(address), "%", "a zone is chosen by its client")
	})
}
