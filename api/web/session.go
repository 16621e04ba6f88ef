package web

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"sync"
)

// The page's cookie holds a person's token, sealed by a key that only the replicas of the api have. A browser, its disk
// and whoever reads them learn nothing that opens the cloud; any replica opens it, and none has to remember it.
const (
	cookieName       = "staffeln"
	secureCookieName = "__Host-staffeln" // browsers take it from TLS only, and from no other host of the domain
	longestCookie    = 4096
)

// errNoSession is a request without a cookie that we sealed.
var errNoSession = errors.New("nobody is signed in")

// A seal keeps tokens in cookies from being read and forged.
type cookieCipher struct {
	key func(context.Context) ([]byte, error)

	mu   sync.Mutex
	aead cipher.AEAD
}

func (s *cookieCipher) cipher(ctx context.Context) (cipher.AEAD, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aead != nil {
		return s.aead, nil
	}
	key, err := s.key(ctx)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	s.aead, err = cipher.NewGCM(block)
	return s.aead, err
}

// close seals a token.
func (s *cookieCipher) close(ctx context.Context, token string) (string, error) {
	aead, err := s.cipher(ctx)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails, by its documentation
	return base64.RawURLEncoding.EncodeToString(aead.Seal(nonce, nonce, []byte(token), []byte(cookieName))), nil
}

// open answers the token; errNoSession for whatever we did not seal.
func (s *cookieCipher) open(ctx context.Context, sealed string) (string, error) {
	aead, err := s.cipher(ctx)
	if err != nil {
		return "", err
	}
	text, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(text) < aead.NonceSize() {
		return "", errNoSession
	}
	token, err := aead.Open(nil, text[:aead.NonceSize()], text[aead.NonceSize():], []byte(cookieName))
	if err != nil {
		return "", errNoSession
	}
	return string(token), nil
}

// safe tells whether the browser reached us by TLS, itself or through a proxy that says so. Who lies about it only keeps
// his own cookie from being sent.
func safe(q *http.Request) bool { return q.TLS != nil || q.Header.Get("X-Forwarded-Proto") == "https" }

// cookie is the session's; with an empty value it ends the session.
func cookie(q *http.Request, value string) *http.Cookie {
	c := &http.Cookie{Name: cookieName, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if safe(q) {
		c.Name, c.Secure = secureCookieName, true
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// sessionOf answers the cookie of a session, as the browser sent it.
func sessionOf(q *http.Request) (*http.Cookie, error) {
	if safe(q) {
		return q.Cookie(secureCookieName)
	}
	return q.Cookie(cookieName)
}

// hasSession tells whether there is something to sign out of, good or not.
func hasSession(q *http.Request) bool {
	_, err := sessionOf(q)
	return err == nil
}

// token answers whose session a request is of, unless it was ended, here or on another replica.
func (w *Handler) token(q *http.Request) (string, error) {
	c, err := sessionOf(q)
	if err != nil {
		return "", errNoSession
	}
	token, err := w.cookieCipher.open(q.Context(), c.Value)
	if err != nil {
		return "", err
	}
	switch ended, err := w.deps.DB.SignedOut(q.Context(), sha256.Sum256([]byte(token))); {
	case err != nil:
		return "", err
	case ended:
		return "", ErrInvalidToken
	}
	return token, nil
}
