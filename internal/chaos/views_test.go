package chaos

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path"
	"slices"
)

// A view is what Nova and Cinder show wrongly until that is fixed: a replica of Cinder lags, Nova has lost its cells. Nothing
// may be concluded from it.
type view struct {
	unlisted map[string]bool // IDs of volumes that lists lack; asked for by ID they are there
	unknown  map[string]bool // IDs of servers that Nova shows as those of a cell that is down
	only     string          // the one server that Nova finds by its ID, of those that there were; empty: it finds all
	lost     map[string]bool // IDs of the others
}

// distorted returns what is shown in place of a service's answer.
func (env *environment) distorted(r *http.Request, resp *http.Response) *http.Response {
	v := &env.view
	switch id := path.Base(r.URL.Path); {
	case r.Method != http.MethodGet || resp.StatusCode != http.StatusOK:
	case listed(r) == "volumes" && len(v.unlisted) > 0:
		env.withoutSome(resp, "volumes", func(id string) bool { return v.unlisted[id] })
	case listed(r) == "servers" && v.only != "":
		env.withoutSome(resp, "servers", func(string) bool { return true })
	case v.lost[id]:
		resp.StatusCode = http.StatusNotFound
		rewrite(resp, []byte(`{"itemNotFound": {"code": 404, "message": "Instance `+id+` could not be found."}}`))
	case v.unknown[id]:
		rewrite(resp, []byte(`{"server": {"id": "`+id+`", "status": "UNKNOWN", "created": "2026-01-01T00:00:00Z", "links": []}}`))
	}
	return resp
}

// withoutSome removes from a list what is not shown.
func (env *environment) withoutSome(resp *http.Response, key string, lacks func(id string) bool) {
	text, err := io.ReadAll(resp.Body)
	env.must(err)
	var page map[string]json.RawMessage
	var items []json.RawMessage
	if json.Unmarshal(text, &page) == nil && json.Unmarshal(page[key], &items) == nil {
		page[key], err = json.Marshal(slices.DeleteFunc(items, func(item json.RawMessage) bool {
			var one struct{ ID string }
			return json.Unmarshal(item, &one) == nil && lacks(one.ID)
		}))
		env.must(err)
		text, err = json.Marshal(page)
		env.must(err)
	}
	rewrite(resp, text)
}

func rewrite(resp *http.Response, text []byte) {
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	resp.Header.Del("Content-Length")
}
