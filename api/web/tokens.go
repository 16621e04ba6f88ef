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

// A Holder is the user, the scope and the roles of a token.
type Holder struct {
	UserID, UserName       string
	ProjectID, ProjectName string // empty if the token has no project scope
	System                 bool   // the token has system scope
	Roles                  []string
	Expires                time.Time
}

// A Login is what a user enters to sign in.
type Login struct{ User, Domain, Password, Project string }

// Keystone validates tokens and signs users in. Any error except the two below means that Keystone did not respond.
type Keystone interface {
	Validate(ctx context.Context, token string) (Holder, error)
	SignIn(ctx context.Context, l Login) (token string, whose Holder, err error)
	Revoke(ctx context.Context, token string) error
	keystoneChooser
}

// Errors of Keystone's refusals.
var (
	ErrInvalidToken = errors.New("the token is not known, expired or revoked")
	ErrSignIn       = errors.New("user, password or project are refused")
)

var (
	// errNoRole means that the token is valid but allows nothing.
	errNoRole = errors.New("none of the token's roles lets it see backups")
	// errKeystoneDown means that Keystone did not respond.
	errKeystoneDown = errors.New("Keystone does not respond")
)

// An access is what a token may see: its project, or all projects.
type access struct {
	Holder

	all bool
}

// project returns the only project that may be seen, or "" for all. It is never "" for a token that may not see all.
func (a access) project() string {
	if a.all {
		return ""
	}
	return a.ProjectID
}

// access returns what an identity may see by its roles. A domain-scoped or unscoped token sees nothing, even with such roles.
func (c Config) access(i Holder) (access, error) {
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

// maxTokens bounds the cache: each entry has some hundred bytes.
const maxTokens = 10000

// tokens caches valid tokens for a short time. It stores only hashes of the tokens.
type tokens struct {
	cfg      Config
	keystone Keystone
	now      func() time.Time

	known *lru.Cache[tokenHash, cacheEntry]
}

type tokenHash [sha256.Size]byte

type cacheEntry struct {
	whose Holder
	until time.Time
}

func newTokens(cfg Config, d Deps) *tokens {
	known, _ := lru.New[tokenHash, cacheEntry](maxTokens) // an error only if the limit is not positive
	return &tokens{cfg: cfg, keystone: d.Keystone, now: d.Now, known: known}
}

// check returns what a token may see. Its errors are [ErrInvalidToken], errNoRole and errKeystoneDown, which has the cause.
func (t *tokens) check(ctx context.Context, token string) (access, error) {
	if token == "" {
		return access{}, ErrInvalidToken
	}
	hash := tokenHash(sha256.Sum256([]byte(token)))
	if whose, is := t.cached(hash); is {
		return t.cfg.access(whose)
	}
	whose, err := t.keystone.Validate(ctx, token)
	switch {
	case errors.Is(err, ErrInvalidToken):
		return access{}, ErrInvalidToken
	case err != nil:
		return access{}, errors.Join(errKeystoneDown, err)
	case !t.now().Before(whose.Expires):
		return access{}, ErrInvalidToken
	}
	t.store(hash, whose)
	return t.cfg.access(whose)
}

func (t *tokens) cached(hash tokenHash) (Holder, bool) {
	r, known := t.known.Get(hash)
	if !known || !t.now().Before(r.until) {
		return Holder{}, false
	}
	return r.whose, true
}

// store caches the identity for the configured time, but never longer than the token is valid.
func (t *tokens) store(hash tokenHash, whose Holder) {
	until := t.now().Add(t.cfg.TokenCacheTime.Std())
	if whose.Expires.Before(until) {
		until = whose.Expires
	}
	t.known.Add(hash, cacheEntry{whose, until})
}

// evict removes the token from the cache: its next use is validated by Keystone.
func (t *tokens) evict(token string) { t.known.Remove(sha256.Sum256([]byte(token))) }
