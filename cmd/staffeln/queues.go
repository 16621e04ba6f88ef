package main

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"

	"github.com/hibiken/asynqmon"

	"staffeln/api"
	"staffeln/tasks"
)

// queuesPolicy lets asynqmon's page run its own two scripts within the page, load its files from us and ask us; nothing
// else. Its styles are made by its scripts. A test compares the sums with the page.
const queuesPolicy = "default-src 'none'; script-src 'self' " +
	"'sha256-TjGhFyzHWMnZGLVqcz+vI6UlP/trbr5z0Y2scPDmQ4E=' 'sha256-mdoKasDSkoERs5ajLodl404K1xett/HeXnztU/ANdLo='; " +
	"style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// outside are what the head of asynqmon's page has the browser fetch from elsewhere (fonts, which the page does without),
// and its manifest, which browsers ask for without signing in.
var outside = regexp.MustCompile(`<link [^>]*(?:href="https?://|rel="manifest")[^>]*>`)

// queuesPage is asynqmon, read-only, over a Redis that need not answer: the page then says that it does not.
type queuesPage struct{ monitor *asynqmon.HTTPHandler }

// newQueuesPage does not speak to Redis. What it answers must be closed.
func newQueuesPage(redisURL string) (queuesPage, error) {
	redis, err := tasks.ConnOpt(redisURL)
	if err != nil {
		return queuesPage{}, err
	}
	return queuesPage{asynqmon.New(asynqmon.Options{RootPath: api.QueuesPath, RedisConnOpt: redis, ReadOnly: true})}, nil
}

func (p queuesPage) close() {
	_ = p.monitor.Close() // nothing waits in its clients
}

// ServeHTTP shows what asynqmon answers, as nothing but what it is, and without what is outside.
func (p queuesPage) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	w.Header().Set("Content-Security-Policy", queuesPolicy)
	if strings.HasPrefix(q.URL.Path, api.QueuesPath+"/api/") {
		w.Header().Set("Content-Type", "application/json") // asynqmon leaves it to be guessed; its errors have their own
	}
	html := &htmlWriter{ResponseWriter: w}
	p.monitor.ServeHTTP(html, q)
	if html.page.Len() > 0 {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(outside.ReplaceAll(html.page.Bytes(), nil)) // nobody is left to tell
	}
}

// htmlWriter keeps back the only answer of asynqmon's without a type: its page, which is small.
type htmlWriter struct {
	http.ResponseWriter

	page bytes.Buffer
}

func (w *htmlWriter) Write(p []byte) (int, error) {
	if w.Header().Get("Content-Type") == "" {
		return w.page.Write(p)
	}
	return w.ResponseWriter.Write(p)
}
