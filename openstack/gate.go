package openstack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/rs/zerolog"

	"staffeln/backup"
)

const (
	// firstLoginPause is the pause before a refused login is tried again.
	firstLoginPause = 30 * time.Second
	// loginsAtOnce limits the logins that a wrong password costs before the first refusal is known.
	loginsAtOnce = 4
)

// loginBackOff is long: Keystone locks an account after a few failed logins, and each further one keeps it locked.
var loginBackOff = backup.BackOff{First: firstLoginPause, Longest: time.Hour}

// A gate lets our service user log in unless Keystone recently refused its password. All scopes of one client share it.
type gate struct {
	clock clock
	// read returns the present password from the file; nil if the password does not come from a file.
	read func() (string, error)
	// prove logs in to the admin project. A refusal there is a refusal of user and password.
	prove func(ctx context.Context, password string) error

	slots   chan struct{} // one for each login in progress
	proving chan struct{} // held during a call of prove

	mu       sync.Mutex
	password string
	proofs   int       // successful logins to the admin project
	since    time.Time // time of the first refusal; zero while logins work
	next     time.Time
	refusals int // in a row, of the present password
}

func newGate(c Credentials, clock clock, prove func(ctx context.Context, password string) error) *gate {
	g := &gate{
		clock: clock, prove: prove, password: c.user.Password,
		slots: make(chan struct{}, loginsAtOnce), proving: make(chan struct{}, 1),
	}
	if c.passwordFile != "" {
		g.read = func() (string, error) { return readPassword(c.passwordFile) }
	}
	return g
}

// refused reports whether logins are refused at present, and since when.
func (g *gate) refused() (since time.Time, refused bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.since, !g.since.IsZero()
}

// login makes one attempt, or returns at once while the gate is closed. admin is true if the attempt is a login to the
// admin project. The error is the attempt's own or a [*backup.CloudError].
func (g *gate) login(ctx context.Context, admin bool, attempt func(password string) error) error {
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	password, proofs, again, err := g.enter()
	if err != nil {
		return err
	}
	if admin {
		return g.learn(ctx, password, again, attempt(password))
	}
	if again { // a refusal for another project would prove nothing about the password
		if err := g.learn(ctx, password, again, g.prove(ctx, password)); err != nil {
			return err
		}
	}
	err = attempt(password)
	if isRefusal(err) {
		if proof := g.proved(ctx, password, proofs); backup.Means(proof, backup.MeansUnauthorised) || isRefusal(proof) {
			return g.closedError()
		}
	}
	return err
}

// enter returns the password to log in with. again is true if logins were refused and this is the next try.
func (g *gate) enter() (password string, proofs int, again bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.read != nil { // if the file can't be read, the previous password may still be valid
		if p, err := g.read(); err == nil && p != g.password {
			g.password, g.next, g.refusals = p, time.Time{}, 0
		}
	}
	now := g.clock.now()
	switch {
	case g.since.IsZero():
		return g.password, g.proofs, false, nil
	case now.Before(g.next):
		return "", 0, false, g.closedErrorLocked()
	}
	g.next = now.Add(firstLoginPause) // keeps other callers from trying meanwhile
	return g.password, g.proofs, true, nil
}

// proved logs in to the admin project, unless another caller did so since the count of successful logins was proofs.
func (g *gate) proved(ctx context.Context, password string, proofs int) error {
	select {
	case g.proving <- struct{}{}:
		defer func() { <-g.proving }()
	case <-ctx.Done():
		return ctx.Err()
	}
	g.mu.Lock()
	since, newer, changed := g.since, g.proofs > proofs, g.password != password
	g.mu.Unlock()
	switch {
	case !since.IsZero():
		return g.closedError()
	case newer || changed:
		return nil
	}
	return g.learn(ctx, password, false, g.prove(ctx, password))
}

// learn opens or closes the gate after a login to the admin project.
func (g *gate) learn(ctx context.Context, password string, again bool, err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	log, now := zerolog.Ctx(ctx), g.clock.now()
	switch {
	case err == nil:
		g.proofs++
		if !g.since.IsZero() && password == g.password {
			log.Info().Time("since", g.since).Msg("Keystone accepts the service user's login again")
			g.since, g.next, g.refusals = time.Time{}, time.Time{}, 0
		}
	case !isRefusal(err) || password != g.password:
	case g.since.IsZero():
		g.since, g.refusals, g.next = now, 1, now.Add(firstLoginPause)
		log.Error().Err(err).Time("next", g.next).Msg("Keystone refuses the service user's login; check OS_USERNAME and OS_PASSWORD")
	case again:
		g.refusals++
		g.next = now.Add(loginBackOff.Pause(g.refusals))
	}
	return err
}

func (g *gate) closedError() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closedErrorLocked()
}

func (g *gate) closedErrorLocked() error {
	remedy := "set OS_PASSWORD to the present password and start again"
	if g.read != nil {
		remedy = "write the present password into the file of OS_PASSWORD_FILE (a changed one is tried at once; a process that reads a copy of it, as by systemd's LoadCredential, has to be restarted)"
	}
	return &backup.CloudError{
		Op: opAuthenticate, Object: "admin project", Meaning: backup.MeansUnauthorised,
		Message: fmt.Sprintf("Keystone refuses the service user's login since %s, the next try is at %s: %s, or unlock the account",
			g.since.UTC().Format(time.RFC3339), g.next.UTC().Format(time.RFC3339), remedy),
	}
}

// isRefusal reports whether Keystone returned 401.
func isRefusal(err error) bool {
	var code gophercloud.ErrUnexpectedResponseCode
	return errors.As(err, &code) && code.Actual == http.StatusUnauthorized
}
