//go:build browser

// Package chromium controls a tab of a real browser, for tests of our pages.
package chromium

import (
	"context"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit/private"
)

// picturesVariable names the folder for the pictures; if it is unset, no picture is saved.
const picturesVariable = "BROWSER_PICTURES"

// pageTimeout is how long a page may take to show something on a machine under load.
const pageTimeout = time.Minute

// Tab is one tab of a headless Chromium with its own profile. It sends requests only to loopback addresses. At the end of the
// test it asserts that no page requested another address and that the console shows no errors.
type Tab struct {
	t        *testing.T
	Ctx      context.Context //nolint:containedctx // chromedp identifies a tab by its context
	password string          // for HTTP basic authentication
	pictures string

	replies    sync.WaitGroup
	mu         sync.Mutex
	asked      []string // URLs in order
	signIns    int
	complaints []string
	forgiven   []string // errors that contain one of these words are expected
}

// Start opens a tab that uses the password for HTTP basic authentication.
func Start(t *testing.T, password string) *Tab {
	t.Helper()
	binary, err := private.FindChromium()
	require.NoError(t, err)
	b := &Tab{t: t, password: password, pictures: os.Getenv(picturesVariable)}
	if b.pictures == "" {
		b.pictures = t.TempDir()
	}
	require.NoError(t, os.MkdirAll(b.pictures, 0o755)) //nolint:gosec // readable for everybody
	options := append(
		slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(binary), chromedp.NoSandbox, chromedp.WindowSize(1280, 900),
		// Requests of Chromium itself to its vendor.
		chromedp.Flag("disable-component-update", true), chromedp.Flag("no-pings", true), chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.*"),
	)
	allocator, end := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(end)
	tab, closeTab := chromedp.NewContext(allocator, chromedp.WithErrorf(t.Logf))
	b.Ctx = tab
	t.Cleanup(func() {
		if t.Failed() {
			b.Picture(strings.ReplaceAll(t.Name(), "/", "-") + "-failed")
		}
		closeTab()
		b.replies.Wait()
		b.judge()
	})
	require.NoError(t, chromedp.Listen(tab, b.listen), "start %s", binary)
	on := true
	_, err = chromedp.Call(tab, fetch.Enable, fetch.EnableParams{HandleAuthRequests: &on})
	require.NoError(t, err)
	return b
}

// listen receives every event of the tab. It must not block: the next event waits for it.
func (b *Tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *fetch.EventRequestPaused:
		b.asked = append(b.asked, e.Request.URL)
		b.replies.Go(func() { b.pass(e) })
	case *fetch.EventAuthRequired:
		b.signIns++
		b.replies.Go(func() { b.signIn(e.RequestID) })
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, "exception: "+e.ExceptionDetails.Text+" "+e.ExceptionDetails.URL)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			parts := []string{"console:"}
			for _, one := range e.Args {
				parts = append(parts, string(one.Value)+one.Description)
			}
			b.complaints = append(b.complaints, strings.Join(parts, " "))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.complaints = append(b.complaints, string(e.Entry.Source)+": "+e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

func (b *Tab) pass(e *fetch.EventRequestPaused) {
	// The error is ignored: if the reply comes too late, the page is gone.
	if loopback(e.Request.URL) {
		_, _ = chromedp.Call(b.Ctx, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID})
		return
	}
	_, _ = chromedp.Call(b.Ctx, fetch.FailRequest, fetch.FailRequestParams{RequestID: e.RequestID, ErrorReason: network.ErrorReasonBlockedByClient})
}

func (b *Tab) signIn(id fetch.RequestID) {
	response := &fetch.AuthChallengeResponse{
		Response: fetch.AuthChallengeResponseResponseProvideCredentials, Username: "anybody", Password: b.password,
	}
	_, _ = chromedp.Call(b.Ctx, fetch.ContinueWithAuth, fetch.ContinueWithAuthParams{RequestID: id, AuthChallengeResponse: response}) // as above
}

func loopback(address string) bool {
	u, err := url.Parse(address)
	return err == nil && net.ParseIP(u.Hostname()).IsLoopback()
}

// SignedIn returns how often a page asked the browser for the password.
func (b *Tab) SignedIn() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.signIns
}

// judge reports requests to other addresses and errors in the console.
func (b *Tab) judge() {
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.NotEmpty(b.t, b.asked)
	for _, address := range b.asked {
		assert.True(b.t, loopback(address), "a page asked for %s", address)
	}
	b.complaints = slices.DeleteFunc(b.complaints, func(parts string) bool {
		return slices.ContainsFunc(b.forgiven, func(words string) bool { return strings.Contains(parts, words) })
	})
	assert.Empty(b.t, b.complaints, "what pages wrote to the console")
}
