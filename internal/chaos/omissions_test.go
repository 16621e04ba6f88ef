package chaos

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// omits reports whether the cloud should leave something out of a list, as when a cell of Nova is down or a replica lags.
// However often that happens, nothing may be concluded from it.
func (env *environment) omits(r *http.Request) bool { return listed(r) != "" && env.rng.IntN(2) == 0 }

// listed returns the kind of objects that a request lists in all projects; empty for other requests.
func listed(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Query().Get("all_tenants") == "" {
		return ""
	}
	parts := strings.Split(strings.TrimSuffix(r.URL.Path, "/detail"), "/")
	return parts[len(parts)-1]
}

// omitting returns a list without one of its items.
func (l transport) omitting(a *actor, r *http.Request, body []byte, name string) (*http.Response, error) {
	env, key := l.environment, listed(r)
	resp, err := l.send(r, body)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(resp.Body)
	env.must(err)
	var page map[string]json.RawMessage
	var items []json.RawMessage
	if json.Unmarshal(text, &page) == nil && json.Unmarshal(page[key], &items) == nil && len(items) > 0 {
		i := env.rng.IntN(len(items))
		env.trace("%s %d %s: without item %d of %d", a.name, a.calls, name, i+1, len(items))
		page[key], err = json.Marshal(append(items[:i:i], items[i+1:]...))
		env.must(err)
		text, err = json.Marshal(page)
		env.must(err)
	}
	rewrite(resp, text)
	return resp, nil
}

// hideBackups sends all further requests of a scheduler's turn to a replica of Cinder that has lost all backups: its lists are
// empty, and each backup returns 404. The program records a few losses at once without confirmation, so this only happens with
// more backups.
func (env *environment) hideBackups(a *actor, r *http.Request) {
	if a.process.sched == nil || listed(r) != "backups" || !env.chance(env.style.lostViews) {
		return
	}
	const q = `SELECT count(*) FROM records WHERE state = 'available' AND changed_at < staffeln_now() AND (last_seen_at IS NULL OR last_seen_at < staffeln_now())`
	var points int
	env.must(env.store.conn.QueryRow(env.ctx, q).Scan(&points))
	if points > plausibleLosses {
		env.trace("%s %d: Cinder shows it none of %d backups from now on", a.name, a.calls, points)
		a.noBackups = true
	}
}

// plausibleLosses is how many losses at once a reconcile run records.
const plausibleLosses = 10

// noBackup is an ID that no backup has.
const noBackup = "00000000-0000-0000-0000-000000000000"

// sendToEmpty sends a request to a Cinder without backups.
func (l transport) sendToEmpty(r *http.Request, body []byte) (*http.Response, error) {
	path, id, found := strings.Cut(r.URL.Path, "/backups/")
	if !found || r.Method != http.MethodGet {
		return l.send(r, body)
	}
	out := r.Clone(r.Context())
	if id == "detail" {
		query := out.URL.Query()
		query.Set("volume_id", noBackup)
		out.URL.RawQuery = query.Encode()
		return l.send(out, body)
	}
	out.URL.Path = path + "/backups/" + noBackup
	resp, err := l.send(out, body)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(resp.Body)
	l.environment.must(err)
	rewrite(resp, bytes.ReplaceAll(text, []byte(noBackup), []byte(id)))
	return resp, nil
}
