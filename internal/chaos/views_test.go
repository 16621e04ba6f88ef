package chaos

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path"
	"slices"
)

// A view is what Nova and Cinder show wrongly for a time: a replica of Cinder lags, or Nova has lost its cells. Nothing may be
// concluded from it.
type view struct {
	unlisted map[string]bool // IDs of volumes missing in lists; requests by ID return them
	unknown  map[string]bool // IDs of servers that Nova shows like those of a cell that is down
	only     string          // the only existing server that Nova finds by ID; empty: it finds all
	lost     map[string]bool // IDs of the other servers
}

// distorted returns a response with the wrong view of a service.
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

// withoutSome removes hidden items from a list.
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
