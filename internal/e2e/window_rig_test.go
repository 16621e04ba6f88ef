package e2e

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"staffeln/api"
	"staffeln/api/web"
	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/cloudsim"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
	"staffeln/openstack"
)

// asWindow is Keystone in the window's words, as cmd hands it in.
type asWindow struct{ *openstack.Keystone }

func (k asWindow) Validate(ctx context.Context, token string) (web.Identity, error) {
	h, err := k.Keystone.Validate(ctx, token)
	if errors.Is(err, openstack.ErrInvalidToken) {
		err = web.ErrInvalidToken
	}
	return identity(h), err
}

func (k asWindow) SignIn(ctx context.Context, l web.Login) (string, web.Identity, error) {
	token, h, err := k.Keystone.SignIn(ctx, openstack.Login{User: l.User, Domain: l.Domain, Password: l.Password, Project: l.Project})
	if errors.Is(err, openstack.ErrSignIn) {
		err = web.ErrSignIn
	}
	return token, identity(h), err
}

func identity(h openstack.Holder) web.Identity {
	return web.Identity{UserID: h.UserID, UserName: h.UserName, ProjectID: h.ProjectID, ProjectName: h.ProjectName, System: h.System, Roles: h.Roles, Expires: h.Expires}
}

// windowRig is a world with two projects' backups, and an api that shows them.
type windowRig struct {
	*world

	url           string
	router        *echo.Echo
	client        *http.Client
	keystone      *openstack.Keystone
	acme, globex  string
	mine, foreign map[string]bool // what names acme's things, and globex's: IDs and names
	volume, other string          // one of each
	moved         []string        // from acme to globex
}

// newWindow has two days of backups of three volumes in each project, and one that failed.
func newWindow(t *testing.T, life time.Duration) *windowRig {
	t.Helper()
	w := newWorld(t, func(set *backup.Settings, o *cloudsim.Options) {
		o.TokenLife = life
		set.BackupMinInterval, set.BackupServicePeriod = backup.Duration(6*time.Hour), backup.Duration(6*time.Hour)
	})
	r := &windowRig{world: w, mine: map[string]bool{}, foreign: map[string]bool{}}
	r.acme, r.globex = w.sim.AddProject("acme"), w.sim.AddProject("globex")
	for name, p := range map[string]string{"alice": r.acme, "bob": r.globex} {
		w.sim.Grant(w.sim.AddUser(name, name+"-secret", ""), p, "member")
	}
	w.sim.Grant(w.sim.AddUser("amy", "amy-secret", ""), r.acme, "reader")
	w.sim.Grant(w.sim.AddUser("root", "root-secret", ""), w.sim.Project("admin"), "admin")
	w.sim.AddRole("auditor")
	w.sim.Grant(w.sim.AddUser("eve", "eve-secret", ""), r.acme, "auditor")
	for p, names := range map[string]map[string]bool{r.acme: r.mine, r.globex: r.foreign} {
		names[p] = true
		for _, server := range []string{"web-" + p[:6], "db-" + p[:6]} {
			id, volumes := w.protect(p, server, 2)
			names[id], names[server] = true, true
			for _, v := range volumes {
				names[v] = true
			}
			if p == r.acme {
				r.volume = volumes[0]
			} else {
				r.other = volumes[0]
			}
		}
	}
	r.mine["acme"], r.foreign["globex"] = true, true
	w.run(25*time.Hour, time.Hour)
	rows, err := w.pool.Query(w.ctx, `SELECT id, backup_id, project_id FROM records WHERE backup_id IS NOT NULL`)
	require.NoError(t, err)
	for rows.Next() {
		var id, backupID, project string
		require.NoError(t, rows.Scan(&id, &backupID, &project))
		of := r.mine
		if project == r.globex {
			of = r.foreign
		}
		of[id], of[backupID] = true, true
	}
	require.NoError(t, rows.Err())
	require.Greater(t, len(r.foreign), 20, "there is something to hide")
	r.serve()
	return r
}

// serve runs the api over HTTP to the end of the test: without a password of the cloud, and as a role of Postgres that may
// do no more than the api needs.
func (r *windowRig) serve() {
	r.t.Helper()
	role, as := testkit.Role(r.t, r.world.url)
	require.NoError(r.t, db.GrantAPI(r.ctx, r.world.url, role))
	memory, err := db.Open(r.ctx, as, telemetry.NewMetrics())
	require.NoError(r.t, err)
	r.t.Cleanup(memory.Close)
	env := r.sim.OpenRC(r.cloudURL)
	credentials, err := openstack.AddressFromEnv(func(name string) string { return env[name] })
	require.NoError(r.t, err)
	r.keystone, err = openstack.NewKeystone(credentials, func(string, string, int) {})
	require.NoError(r.t, err)
	shows := web.New(web.Config{AdminRoles: []string{"admin"}, TenantRoles: []string{"member", "reader"}, TokenCacheTime: backup.Duration(time.Minute), SignInFailures: 5},
		web.Deps{DB: memory, Keystone: asWindow{r.keystone}, Settings: r.set, Now: r.clock.Now, ServiceUser: func(l web.Login) bool {
			return credentials.Is(openstack.Login{User: l.User, Domain: l.Domain})
		}})
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.t.Context()))
	addresses, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- api.Run(ctx, api.Config{Listen: "127.0.0.1:0"}, api.Deps{
			Ping: memory.Ping, Log: zerolog.Nop(), Metrics: telemetry.NewMetrics(), Ready: telemetry.NewReadiness(zerolog.Nop()),
			Routes: []api.Routes{shows.Routes, func(e *echo.Echo) { r.router = e }}, Trouble: shows.Trouble, Listening: func(a net.Addr) { addresses <- a },
		})
	}()
	r.t.Cleanup(func() { cancel(); require.NoError(r.t, <-ended); r.keystone.Close() })
	r.url = "http://" + (<-addresses).String()
	r.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r.t.Cleanup(r.client.CloseIdleConnections)
}

// token signs somebody in at Keystone.
func (r *windowRig) token(user, project string) string {
	r.t.Helper()
	password := user + "-secret"
	if user == "staffeln" {
		password = r.sim.OpenRC("")["OS_PASSWORD"]
	}
	token, _, err := r.keystone.SignIn(r.ctx, openstack.Login{User: user, Domain: "Default", Password: password, Project: project})
	require.NoError(r.t, err)
	return token
}

// cookie signs somebody in at the page and answers the cookie.
func (r *windowRig) cookie(user, project string) *http.Cookie {
	r.t.Helper()
	password := user + "-secret"
	response := r.send(http.MethodPost, "/sign-in", url.Values{"user": {user}, "domain": {"Default"}, "password": {password}, "project": {project}}.Encode(), nil)
	require.Equal(r.t, http.StatusSeeOther, response.StatusCode, response.text)
	for _, c := range response.Cookies() {
		if c.Name == "staffeln" {
			return c
		}
	}
	require.Fail(r.t, "no cookie")
	return nil
}

// said is a response with its body read.
type said struct {
	*http.Response

	text string
}

func (r *windowRig) send(method, path, body string, change func(*http.Request)) said {
	r.t.Helper()
	q, err := http.NewRequestWithContext(r.ctx, method, r.url+path, strings.NewReader(body))
	require.NoError(r.t, err, path)
	if body != "" {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(q)
	}
	response, err := r.client.Do(q)
	require.NoError(r.t, err, path)
	text, err := io.ReadAll(response.Body)
	require.NoError(r.t, err)
	require.NoError(r.t, response.Body.Close())
	return said{response, string(text)}
}

// get asks as whoever has the token, in the header and nowhere else, or with the cookie.
func (r *windowRig) get(path, token string, cookie *http.Cookie) said {
	r.t.Helper()
	return r.send(http.MethodGet, path, "", func(q *http.Request) {
		if token != "" {
			q.Header.Set("X-Auth-Token", token)
		}
		if cookie != nil {
			q.AddCookie(cookie)
		}
	})
}

// leaks tells what of other projects' things an answer names; what was asked for may be repeated.
func leaks(answer, asked string, foreign map[string]bool) (named []string) {
	if text, err := url.QueryUnescape(asked); err == nil {
		asked = text
	}
	for name := range foreign {
		if strings.Contains(answer, name) && !strings.Contains(asked, name) {
			named = append(named, name)
		}
	}
	return named
}

func login(name string) openstack.Login {
	project := map[string]string{"alice": "acme", "amy": "acme", "eve": "acme", "bob": "globex", "root": "admin"}[name]
	return openstack.Login{User: name, Domain: "Default", Password: name + "-secret", Project: project}
}
