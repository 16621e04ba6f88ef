package rig

import (
	"context"
	"errors"
	"net"
	"net/http"
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

// keystone is Keystone with the interface that package web expects.
type keystone struct{ *openstack.Keystone }

func (k keystone) Validate(ctx context.Context, token string) (web.Holder, error) {
	h, err := k.Keystone.Validate(ctx, token)
	if errors.Is(err, openstack.ErrInvalidToken) {
		err = web.ErrInvalidToken
	}
	return identity(h), err
}

func (k keystone) SignIn(ctx context.Context, l web.Login) (string, web.Holder, error) {
	token, h, err := k.Keystone.SignIn(ctx, openstack.Login{User: l.User, Domain: l.Domain, Password: l.Password, Project: l.Project})
	if errors.Is(err, openstack.ErrSignIn) {
		err = web.ErrSignIn
	}
	return token, identity(h), err
}

// OwnProjects implements [web.Keystone].
func (k keystone) OwnProjects(ctx context.Context, token string) ([]web.ProjectName, error) {
	all, err := k.Keystone.OwnProjects(ctx, token)
	if errors.Is(err, openstack.ErrInvalidToken) {
		return nil, web.ErrInvalidToken
	}
	names := []web.ProjectName{}
	for _, p := range all {
		names = append(names, web.ProjectName{ID: p.ID, Name: p.Name})
	}
	return names, err
}

// Scope implements [web.Keystone].
func (k keystone) Scope(ctx context.Context, token, projectID string) (string, web.Holder, error) {
	scoped, h, err := k.Keystone.Scope(ctx, token, projectID)
	if errors.Is(err, openstack.ErrSignIn) {
		return "", web.Holder{}, web.ErrSignIn
	}
	return scoped, identity(h), err
}

func identity(h openstack.Holder) web.Holder {
	return web.Holder{UserID: h.UserID, UserName: h.UserName, ProjectID: h.ProjectID, ProjectName: h.ProjectName, System: h.System, Roles: h.Roles, Expires: h.Expires}
}

// Site is an environment with backups of two projects, and an api that shows them.
type Site struct {
	*Environment

	URL           string
	Router        *echo.Echo
	Client        *http.Client
	Keystone      *openstack.Keystone
	Acme, Globex  string
	Mine, Foreign map[string]bool // IDs and names of the things of acme and of globex
	Volume, Other string          // a volume of acme and one of globex
	Moved         []string        // volumes transferred from acme to globex
}

// NewSite creates a site with the backups of 25 hours of four volumes in each project.
func NewSite(t *testing.T, life time.Duration) *Site {
	t.Helper()
	w := NewEnvironment(t, func(set *backup.Settings, o *cloudsim.Options) {
		o.TokenLife = life
		set.BackupMinInterval, set.BackupServicePeriod = backup.Duration(6*time.Hour), backup.Duration(6*time.Hour)
	})
	r := &Site{Environment: w, Mine: map[string]bool{}, Foreign: map[string]bool{}}
	r.Acme, r.Globex = w.Sim.AddProject("acme"), w.Sim.AddProject("globex")
	for name, p := range map[string]string{"alice": r.Acme, "bob": r.Globex} {
		w.Sim.Grant(w.Sim.AddUser(name, name+"-secret", ""), p, "member")
	}
	w.Sim.Grant(w.Sim.AddUser("amy", "amy-secret", ""), r.Acme, "reader")
	w.Sim.Grant(w.Sim.AddUser("root", "root-secret", ""), w.Sim.Project("admin"), "admin")
	w.Sim.AddRole("auditor")
	w.Sim.Grant(w.Sim.AddUser("eve", "eve-secret", ""), r.Acme, "auditor")
	for p, names := range map[string]map[string]bool{r.Acme: r.Mine, r.Globex: r.Foreign} {
		names[p] = true
		for _, server := range []string{"web-" + p[:6], "db-" + p[:6]} {
			id, volumes := w.Protect(p, server, 2)
			names[id], names[server] = true, true
			for _, v := range volumes {
				names[v] = true
			}
			if p == r.Acme {
				r.Volume = volumes[0]
			} else {
				r.Other = volumes[0]
			}
		}
	}
	r.Mine["acme"], r.Foreign["globex"] = true, true
	w.Advance(25*time.Hour, time.Hour)
	rows, err := w.Pool.Query(w.Ctx, `SELECT id, backup_id, project_id FROM records WHERE backup_id IS NOT NULL`)
	require.NoError(t, err)
	for rows.Next() {
		var id, backupID, project string
		require.NoError(t, rows.Scan(&id, &backupID, &project))
		of := r.Mine
		if project == r.Globex {
			of = r.Foreign
		}
		of[id], of[backupID] = true, true
	}
	require.NoError(t, rows.Err())
	require.Greater(t, len(r.Foreign), 20, "there is something to hide")
	r.Serve()
	return r
}

// Serve runs the api over HTTP until the end of the test, without a password of the cloud and with a Postgres role that has
// only the rights the api needs.
func (r *Site) Serve() {
	r.T.Helper()
	role, as := testkit.Role(r.T, r.Environment.URL)
	require.NoError(r.T, db.GrantAPI(r.Ctx, r.Environment.URL, role))
	database, err := db.Open(r.Ctx, as, telemetry.NewMetrics())
	require.NoError(r.T, err)
	r.T.Cleanup(database.Close)
	env := r.Sim.OpenRC(r.CloudURL)
	credentials, err := openstack.AddressFromEnv(func(name string) string { return env[name] })
	require.NoError(r.T, err)
	r.Keystone, err = openstack.NewKeystone(credentials, func(string, string, int, time.Duration) {})
	require.NoError(r.T, err)
	shows := web.New(web.Config{AdminRoles: []string{"admin"}, TenantRoles: []string{"member", "reader"}, TokenCacheTime: backup.Duration(time.Minute), SignInFailures: 5},
		web.Deps{DB: database, Keystone: keystone{r.Keystone}, Settings: r.Settings, Now: r.Clock.Now, ServiceUser: func(l web.Login) bool {
			return credentials.Is(openstack.Login{User: l.User, Domain: l.Domain})
		}})
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.T.Context()))
	addresses, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- api.Run(ctx, api.Config{Listen: "127.0.0.1:0"}, api.Deps{
			Ping: database.Ping, Log: zerolog.Nop(), Metrics: telemetry.NewMetrics(), Ready: telemetry.NewReadiness(zerolog.Nop(), telemetry.NewMetrics()),
			Routes: []api.Routes{shows.Routes, func(e *echo.Echo) { r.Router = e }}, Trouble: shows.Trouble, Listening: func(a net.Addr) { addresses <- a },
		})
	}()
	r.T.Cleanup(func() { cancel(); require.NoError(r.T, <-ended); r.Keystone.Close() })
	r.URL = "http://" + (<-addresses).String()
	r.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r.T.Cleanup(r.Client.CloseIdleConnections)
}
