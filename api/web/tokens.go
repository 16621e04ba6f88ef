package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// An Identity is whose a token is.
type Identity struct {
	UserID, UserName       string
	ProjectID, ProjectName string // empty where the token is of no project
	System                 bool   // it is of the whole system
	Roles                  []string
	Expires                time.Time
}

// A Login is what a person signs in with.
type Login struct{ User, Domain, Password, Project string }

// Keystone says whose a token is, and signs people in. Any error but the two below means that nobody knows.
type Keystone interface {
	Validate(ctx context.Context, token string) (Identity, error)
	SignIn(ctx context.Context, l Login) (token string, whose Identity, err error)
	Revoke(ctx context.Context, token string) error
}

// What Keystone says no to.
var (
	ErrInvalidToken = errors.New("the token is not known, expired or revoked")
	ErrSignIn       = errors.New("user, password or project are refused")
)

var (
	// errNoRole is a good token that shows nothing.
	errNoRole = errors.New("none of the token's roles lets it see backups")
	// errNobodyKnows is a question to Keystone without an answer.
	errNobodyKnows = errors.New("Keystone does not answer")
)

// An access is what a token may see: its project, or all.
type access struct {
	Identity

	all bool
}

// project is the only one that may be seen; empty for all. It is never empty for a token that may not see all.
func (a access) project() string {
	if a.all {
		return ""
	}
	return a.ProjectID
}

// access judges an identity by its roles. A token of a domain, or of nothing, shows nothing whatever its roles are.
func (c Config) access(i Identity) (access, error) {
	has := func(wanted []string) bool {
		return slices.ContainsFunc(i.Roles, func(have string) bool {
			return slices.ContainsFunc(wanted, func(want string) bool { return strings.EqualFold(have, strings.TrimSpace(want)) })
		})
	}
	switch {
	case (i.ProjectID != "" || i.System) && has(c.AdminRoles):
		return access{i, true}, nil
	case i.ProjectID != "" && has(c.TenantRoles):
		return access{i, false}, nil
	}
	return access{}, errNoRole
}

// mostTokens bounds the cache: some hundred bytes each.
const mostTokens = 10000

// tokens remembers for a short time what Keystone said of good tokens. Of tokens it keeps only a hash.
type tokens struct {
	cfg      Config
	keystone Keystone
	now      func() time.Time

	known *lru.Cache[tokenHash, remembered]
}

type tokenHash [sha256.Size]byte

type remembered struct {
	whose Identity
	until time.Time
}

func newTokens(cfg Config, d Deps) *tokens {
	known, _ := lru.New[tokenHash, remembered](mostTokens) // an error only where the limit is not positive
	return &tokens{cfg: cfg, keystone: d.Keystone, now: d.Now, known: known}
}

// check tells what a token may see. Its errors are [ErrInvalidToken], errNoRole and, with its cause, errNobodyKnows.
func (t *tokens) check(ctx context.Context, token string) (access, error) {
	if token == "" {
		return access{}, ErrInvalidToken
	}
	hash := tokenHash(sha256.Sum256([]byte(token)))
	if whose, is := t.recall(hash); is {
		return t.cfg.access(whose)
	}
	whose, err := t.keystone.Validate(ctx, token)
	switch {
	case errors.Is(err, ErrInvalidToken):
		return access{}, ErrInvalidToken
	case err != nil:
		return access{}, errors.Join(errNobodyKnows, err)
	case !t.now().Before(whose.Expires):
		return access{}, ErrInvalidToken
	}
	t.remember(hash, whose)
	return t.cfg.access(whose)
}

func (t *tokens) recall(hash tokenHash) (Identity, bool) {
	r, known := t.known.Get(hash)
	if !known || !t.now().Before(r.until) {
		return Identity{}, false
	}
	return r.whose, true
}

// remember keeps it for the time that is configured, and never beyond the token's own end.
func (t *tokens) remember(hash tokenHash, whose Identity) {
	until := t.now().Add(t.cfg.TokenCacheTime.Std())
	if whose.Expires.Before(until) {
		until = whose.Expires
	}
	t.known.Add(hash, remembered{whose, until})
}

// forget makes the next question of this token go to Keystone.
func (t *tokens) forget(token string) { t.known.Remove(sha256.Sum256([]byte(token))) }
