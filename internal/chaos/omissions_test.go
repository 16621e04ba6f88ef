package chaos

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// omits tells whether the cloud leaves something out of a list that was asked for: a cell of Nova that is away, a
// replica that lags. However often that happens, nothing may be concluded from it.
func (w *world) omits(r *http.Request) bool { return listed(r) != "" && w.rng.IntN(2) == 0 }

// listed is what is listed of all projects; empty for other requests.
func listed(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Query().Get("all_tenants") == "" {
		return ""
	}
	parts := strings.Split(strings.TrimSuffix(r.URL.Path, "/detail"), "/")
	return parts[len(parts)-1]
}

// omitting answers a list without one of its items.
func (l wire) omitting(a *actor, r *http.Request, body []byte, name string) (*http.Response, error) {
	w, key := l.world, listed(r)
	resp, err := l.send(r, body)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(resp.Body)
	w.must(err)
	var page map[string]json.RawMessage
	var items []json.RawMessage
	if json.Unmarshal(text, &page) == nil && json.Unmarshal(page[key], &items) == nil && len(items) > 0 {
		i := w.rng.IntN(len(items))
		w.tell("%s %d %s: without item %d of %d", a.name, a.calls, name, i+1, len(items))
		page[key], err = json.Marshal(append(items[:i:i], items[i+1:]...))
		w.must(err)
		text, err = json.Marshal(page)
		w.must(err)
	}
	rewrite(resp, text)
	return resp, nil
}

// goesAstray lets the rest of a scheduler's turn ask a replica of Cinder that has lost its backups: its listings are
// empty, and it answers 404 for each of them. Few losses at once are believed, as they have to be; so there are many.
func (w *world) goesAstray(a *actor, r *http.Request) {
	if a.process.sched == nil || listed(r) != "backups" || !w.strikes(w.style.lostViews) {
		return
	}
	const q = `SELECT count(*) FROM records WHERE state = 'available' AND changed_at < staffeln_now() AND (last_seen_at IS NULL OR last_seen_at < staffeln_now())`
	var points int
	w.must(w.place.hand.QueryRow(w.ctx, q).Scan(&points))
	if points > believable {
		w.tell("%s %d: Cinder shows it none of %d backups from now on", a.name, a.calls, points)
		a.astray = true
	}
}

// believable is how many losses at once a sweep believes.
const believable = 10

// nowhere is no backup's ID.
const nowhere = "00000000-0000-0000-0000-000000000000"

// sendAstray sends a request to a Cinder that has no backups.
func (l wire) sendAstray(r *http.Request, body []byte) (*http.Response, error) {
	path, id, found := strings.Cut(r.URL.Path, "/backups/")
	if !found || r.Method != http.MethodGet {
		return l.send(r, body)
	}
	out := r.Clone(r.Context())
	if id == "detail" {
		query := out.URL.Query()
		query.Set("volume_id", nowhere)
		out.URL.RawQuery = query.Encode()
		return l.send(out, body)
	}
	out.URL.Path = path + "/backups/" + nowhere
	resp, err := l.send(out, body)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(resp.Body)
	l.world.must(err)
	rewrite(resp, bytes.ReplaceAll(text, []byte(nowhere), []byte(id)))
	return resp, nil
}
