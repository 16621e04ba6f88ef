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

// queuesPolicy allows asynqmon's page its own two inline scripts, its files and requests to us; nothing else. Its scripts
// make its styles. A test compares the hashes with the page.
const queuesPolicy = "default-src 'none'; script-src 'self' " +
	"'sha256-TjGhFyzHWMnZGLVqcz+vI6UlP/trbr5z0Y2scPDmQ4E=' 'sha256-mdoKasDSkoERs5ajLodl404K1xett/HeXnztU/ANdLo='; " +
	"style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// external matches the links in asynqmon's page to other sites (fonts, which it works without) and to its manifest, which
// browsers request without credentials.
var external = regexp.MustCompile(`<link [^>]*(?:href="https?://|rel="manifest")[^>]*>`)

// queuesPage is asynqmon, read-only. If Redis does not respond, the page shows that.
type queuesPage struct{ monitor *asynqmon.HTTPHandler }

// newQueuesPage does not connect to Redis. The page must be closed.
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

// ServeHTTP serves asynqmon with the right content types and without external links.
func (p queuesPage) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	w.Header().Set("Content-Security-Policy", queuesPolicy)
	if strings.HasPrefix(q.URL.Path, api.QueuesPath+"/api/") {
		w.Header().Set("Content-Type", "application/json") // asynqmon sets none; its errors have their own
	}
	html := &htmlWriter{ResponseWriter: w}
	p.monitor.ServeHTTP(html, q)
	if html.page.Len() > 0 {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(external.ReplaceAll(html.page.Bytes(), nil)) // the client is gone
	}
}

// htmlWriter buffers the only response of asynqmon without a content type: its page, which is small.
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
