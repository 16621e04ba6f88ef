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

// The cookie of the page is the user's token, encrypted with a key that only the API replicas have. Nobody who reads the
// cookie in the browser or on its disk can use it against the cloud. Any replica can decrypt it; the API stores no sessions.
const (
	cookieName       = "staffeln"
	secureCookieName = "__Host-staffeln" // browsers accept it only over TLS, and from no other host of the domain
	longestCookie    = 4096
)

// errNoSession means that the request has no cookie that we encrypted.
var errNoSession = errors.New("nobody is signed in")

// cookieCipher encrypts and authenticates the tokens in cookies.
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

// choosing is the purpose of an encrypted token without a project, which is no session.
const choosing = cookieName + "-choosing"

// encrypt encrypts the token of a session.
func (s *cookieCipher) encrypt(ctx context.Context, token string) (string, error) {
	return s.encryptFor(ctx, cookieName, token)
}

// encryptFor encrypts a token for one purpose: it cannot be decrypted for another one.
func (s *cookieCipher) encryptFor(ctx context.Context, purpose, token string) (string, error) {
	aead, err := s.cipher(ctx)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize())
	_, _ = rand.Read(nonce) // documented never to fail
	return base64.RawURLEncoding.EncodeToString(aead.Seal(nonce, nonce, []byte(token), []byte(purpose))), nil
}

// decrypt decrypts the token of a session. It returns errNoSession for anything that we did not encrypt for one.
func (s *cookieCipher) decrypt(ctx context.Context, encrypted string) (string, error) {
	return s.decryptFor(ctx, cookieName, encrypted)
}

func (s *cookieCipher) decryptFor(ctx context.Context, purpose, encrypted string) (string, error) {
	aead, err := s.cipher(ctx)
	if err != nil {
		return "", err
	}
	text, err := base64.RawURLEncoding.DecodeString(encrypted)
	if err != nil || len(text) < aead.NonceSize() {
		return "", errNoSession
	}
	token, err := aead.Open(nil, text[:aead.NonceSize()], text[aead.NonceSize():], []byte(purpose))
	if err != nil {
		return "", errNoSession
	}
	return string(token), nil
}

// overTLS reports whether the browser uses TLS, to us or to a proxy that sets X-Forwarded-Proto. A client that forges the header
// only prevents that its own cookie is sent.
func overTLS(q *http.Request) bool {
	return q.TLS != nil || q.Header.Get("X-Forwarded-Proto") == "https"
}

// cookie returns the session cookie. An empty value ends the session.
func cookie(q *http.Request, value string) *http.Cookie {
	c := &http.Cookie{Name: cookieName, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if overTLS(q) {
		c.Name, c.Secure = secureCookieName, true
	}
	if value == "" {
		c.MaxAge = -1
	}
	return c
}

// sessionOf returns the session cookie of a request.
func sessionOf(q *http.Request) (*http.Cookie, error) {
	if overTLS(q) {
		return q.Cookie(secureCookieName)
	}
	return q.Cookie(cookieName)
}

// hasSession reports whether the request has a session cookie, valid or not.
func hasSession(q *http.Request) bool {
	_, err := sessionOf(q)
	return err == nil
}

// token returns the token of the request's session. It returns [ErrInvalidToken] if the user signed out, on this or another
// replica.
func (w *Handler) token(q *http.Request) (string, error) {
	c, err := sessionOf(q)
	if err != nil {
		return "", errNoSession
	}
	token, err := w.cookieCipher.decrypt(q.Context(), c.Value)
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
