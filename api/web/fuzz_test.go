package web

import (
	"errors"
	"testing"
	"time"
)

// Every query is either read or rejected with a text for the client.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{"", "limit=1&sort=time", "state=available,failed", "cursor=e30", "from=2026-03-01", "project=%00", "a=1;b=2", "limit=1&limit=2", (&pageCursor{Sort: "time", ID: "x"}).cursor()} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, known := range [][]parameter{nil, ofVolumes, ofBackups, ofPage(ofBackups), ofStatus, ofPage(ofProjects), ofPage(ofVolumes)} {
			given, err := read(query, known)
			var got fault
			if err != nil {
				if !errors.As(err, &got) || got.status != 400 {
					t.Fatal(err)
				}
				continue
			}
			_, _ = rows(given["limit"])
			_, _ = (&Handler{deps: Deps{Now: time.Now}}).moment("from", given["from"])
			_, _ = readCursor(given["cursor"], given["sort"])
			for name := range given {
				if len(given[name]) > maxCursor {
					t.Fatal("longer than allowed")
				}
			}
		}
	})
}
