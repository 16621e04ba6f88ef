package cloudsim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

type client struct {
	l              *bench
	token, project string
	headers        []string
}

// at returns the same client with another microversion of Cinder; compute with one of Nova.
func (c client) at(version string) client { return c.with("OpenStack-API-Version", "volume "+version) }

func (c client) compute(version string) client {
	return c.with("OpenStack-API-Version", "compute "+version)
}

func (c client) with(name, value string) client {
	c.headers = append(append([]string(nil), c.headers...), name, value)
	return c
}

func authBody(user, password, projectID string) map[string]any {
	auth := map[string]any{"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{"user": map[string]any{
		"name": user, "domain": map[string]any{"name": "Default"}, "password": password,
	}}}}
	if projectID != "" {
		auth["scope"] = map[string]any{"project": map[string]any{"id": projectID}}
	}
	return map[string]any{"auth": auth}
}

func (l *bench) login(user, password, projectID string) client {
	l.t.Helper()
	r := client{l: l}.do("POST", "/identity/v3/auth/tokens", authBody(user, password, projectID))
	r.want(201)
	return client{l: l, token: r.header.Get("X-Subject-Token"), project: projectID}
}

type reply struct {
	l      *bench
	status int
	header http.Header
	body   string
	err    error
}

// do sends a request. "{p}" in the path is the client's project.
func (c client) do(method, path string, body any) reply {
	c.l.t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			c.l.t.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	path = strings.ReplaceAll(path, "{p}", c.project)
	if !strings.HasPrefix(path, "http") {
		path = c.l.url + path
	}
	req, err := http.NewRequestWithContext(c.l.t.Context(), method, path, in)
	if err != nil {
		c.l.t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("X-Auth-Token", c.token)
	}
	for i := 0; i+1 < len(c.headers); i += 2 {
		req.Header.Set(c.headers[i], c.headers[i+1])
	}
	res, err := c.l.http.Do(req)
	if err != nil {
		return reply{l: c.l, err: err}
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	return reply{c.l, res.StatusCode, res.Header, string(raw), err}
}

func (c client) get(path string) reply    { c.l.t.Helper(); return c.do("GET", path, nil) }
func (c client) delete(path string) reply { c.l.t.Helper(); return c.do("DELETE", path, nil) }
func (c client) post(path string, body any) reply {
	c.l.t.Helper()
	return c.do("POST", path, body)
}

func (r reply) want(status int) reply {
	r.l.t.Helper()
	if r.err != nil {
		r.l.t.Fatalf("no response: %v", r.err)
	}
	if r.status != status {
		r.l.t.Fatalf("got %d %s, want %d", r.status, r.body, status)
	}
	return r
}

// wantBody compares the body byte for byte.
func (r reply) wantBody(status int, body string) reply {
	r.l.t.Helper()
	r.want(status)
	if r.body != body {
		r.l.t.Fatalf("got  %s\nwant %s", r.body, body)
	}
	return r
}

// at returns the value at a path of names and indexes joined by dots; a name must not contain a dot.
func (r reply) at(path string) any {
	r.l.t.Helper()
	var v any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		r.l.t.Fatalf("body is no JSON: %v: %s", err, r.body)
	}
	for step := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			n := 0
			for _, d := range step {
				n = n*10 + int(d-'0')
			}
			if n >= len(at) {
				return nil
			}
			v = at[n]
		default:
			return nil
		}
	}
	return v
}

func (r reply) text(path string) string {
	r.l.t.Helper()
	s, _ := r.at(path).(string)
	return s
}

func (r reply) list(path string) []any {
	r.l.t.Helper()
	s, _ := r.at(path).([]any)
	return s
}

const backupsPath = "/volume/v3/{p}/backups"

type m = map[string]any

func backupBody(volumeID string, incremental bool) m {
	return m{"backup": m{"volume_id": volumeID, "name": "b", "force": true, "incremental": incremental}}
}

// full makes a full backup and waits until it is available; inc makes an incremental.
func (c client) full(volumeID string) string { c.l.t.Helper(); return c.backup(volumeID, false) }
func (c client) inc(volumeID string) string  { c.l.t.Helper(); return c.backup(volumeID, true) }

func (c client) backup(volumeID string, incremental bool) string {
	c.l.t.Helper()
	id := c.start(volumeID, incremental)
	c.l.clock.step(3 * time.Second)
	c.status(id, "available")
	return id
}

func (c client) start(volumeID string, incremental bool) string {
	c.l.t.Helper()
	return c.post(backupsPath, backupBody(volumeID, incremental)).want(202).text("backup.id")
}

func (c client) status(backupID, status string) reply {
	c.l.t.Helper()
	r := c.at("3.70").get(backupsPath + "/" + backupID).want(200)
	if got := r.text("backup.status"); got != status {
		c.l.t.Fatalf("backup is %s (%s), want %s", got, r.text("backup.fail_reason"), status)
	}
	return r
}

func (l *bench) volumeStatus(id, status string) {
	l.t.Helper()
	if v, _ := l.cloud.Volume(id); v.Status != status {
		l.t.Fatalf("volume is %q, want %q", v.Status, status)
	}
}

// happened returns how many events of a kind the journal has for a backup.
func (l *bench) happened(kind, backupID string) int {
	n := 0
	for _, e := range l.cloud.Journal() {
		if e.Kind == kind && (backupID == "" || e.Backup == backupID) {
			n++
		}
	}
	return n
}
