//go:build browser

package e2e

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
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

	"staffeln/internal/testkit"
	"staffeln/internal/testkit/private"
)

// picturesVariable names the folder that keeps what the tests have seen; without it, nothing is kept.
const picturesVariable = "BROWSER_PICTURES"

// pagePatience is how long a page may take to show something, on a busy machine.
const pagePatience = time.Minute

// browser is one tab of a headless Chromium with a profile of its own. It asks loopback addresses and nobody else. At
// the test's end it asserts that no page wanted more, and that none complained to its console.
type browser struct {
	t        *testing.T
	ctx      context.Context //nolint:containedctx // chromedp's own way to name a tab
	password string          // what it answers where a page asks for one
	pictures string

	answers    sync.WaitGroup
	mu         sync.Mutex
	asked      []string // URLs, in order
	signIns    int
	complaints []string
	forgiven   []string // complaints that hold one of these words are about what a test did on purpose
}

func newBrowser(t *testing.T, password string) *browser {
	t.Helper()
	binary, err := private.FindChromium()
	require.NoError(t, err)
	b := &browser{t: t, password: password, pictures: os.Getenv(picturesVariable)}
	if b.pictures == "" {
		b.pictures = t.TempDir()
	}
	require.NoError(t, os.MkdirAll(b.pictures, 0o755))
	options := append(
		slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(binary), chromedp.NoSandbox, chromedp.WindowSize(1280, 900),
		// What Chromium itself would ask of its makers.
		chromedp.Flag("disable-component-update", true), chromedp.Flag("no-pings", true), chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.*"),
	)
	allocator, end := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(end)
	tab, closeTab := chromedp.NewContext(allocator, chromedp.WithErrorf(t.Logf))
	b.ctx = tab
	t.Cleanup(func() {
		if t.Failed() {
			b.picture(strings.ReplaceAll(t.Name(), "/", "-") + "-failed")
		}
		closeTab()
		b.answers.Wait()
		b.judge()
	})
	require.NoError(t, chromedp.Listen(tab, b.listen), "start %s", binary)
	on := true
	_, err = chromedp.Call(tab, fetch.Enable, fetch.EnableParams{HandleAuthRequests: &on})
	require.NoError(t, err)
	return b
}

// listen hears of everything that happens in the tab; what it answers must not hold up the next event.
func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *fetch.EventRequestPaused:
		b.asked = append(b.asked, e.Request.URL)
		b.answers.Go(func() { b.pass(e) })
	case *fetch.EventAuthRequired:
		b.signIns++
		b.answers.Go(func() { b.signIn(e.RequestID) })
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, "exception: "+e.ExceptionDetails.Text+" "+e.ExceptionDetails.URL)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			said := "console:"
			for _, one := range e.Args {
				said += " " + string(one.Value) + one.Description
			}
			b.complaints = append(b.complaints, said)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.complaints = append(b.complaints, string(e.Entry.Source)+": "+e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

func (b *browser) pass(e *fetch.EventRequestPaused) {
	// An answer that comes too late is that to a page which is gone.
	if loopback(e.Request.URL) {
		_, _ = chromedp.Call(b.ctx, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID})
		return
	}
	_, _ = chromedp.Call(b.ctx, fetch.FailRequest, fetch.FailRequestParams{RequestID: e.RequestID, ErrorReason: network.ErrorReasonBlockedByClient})
}

func (b *browser) signIn(id fetch.RequestID) {
	answer := &fetch.AuthChallengeResponse{
		Response: fetch.AuthChallengeResponseResponseProvideCredentials, Username: "anybody", Password: b.password,
	}
	_, _ = chromedp.Call(b.ctx, fetch.ContinueWithAuth, fetch.ContinueWithAuthParams{RequestID: id, AuthChallengeResponse: answer}) // as above
}

func loopback(address string) bool {
	u, err := url.Parse(address)
	return err == nil && net.ParseIP(u.Hostname()).IsLoopback()
}

// signedIn is how often the browser was asked for the password.
func (b *browser) signedIn() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.signIns
}

// judge tells what pages wanted from outside, and what they complained of.
func (b *browser) judge() {
	b.mu.Lock()
	defer b.mu.Unlock()
	assert.NotEmpty(b.t, b.asked)
	for _, address := range b.asked {
		assert.True(b.t, loopback(address), "a page asked for %s", address)
	}
	b.complaints = slices.DeleteFunc(b.complaints, func(said string) bool {
		return slices.ContainsFunc(b.forgiven, func(words string) bool { return strings.Contains(said, words) })
	})
	assert.Empty(b.t, b.complaints, "what pages wrote to the console")
}

// open goes to a page and waits until it is loaded; what its scripts do then is awaited by what they show.
func (b *browser) open(address string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pagePatience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, chromedp.Navigate(address)))
}

// get is what a script answers, as text. It asks a page that is loaded: on the way from one page to the next there is no
// document, or half of one, and an answer would be about neither.
func (b *browser) get(script string) (text string) {
	b.t.Helper()
	testkit.Eventually(b.t, "a loaded page answers "+script, pagePatience, func() bool {
		answer, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](`document.readyState == "complete" ? [`+script+`] : []`))
		if thrown, ok := errors.AsType[*chromedp.ExceptionError](err); ok {
			require.NoError(b.t, thrown, script)
		}
		if err != nil {
			b.t.Logf("between two pages: %v", err)
		}
		if err != nil || len(answer) == 0 {
			return false
		}
		text = answer[0]
		return true
	})
	return text
}

// text is what a person could read.
func (b *browser) text() string {
	b.t.Helper()
	return b.get("document.body.innerText")
}

// shows waits until the page shows all of that.
func (b *browser) shows(all ...string) {
	b.t.Helper()
	testkit.Eventually(b.t, "the page shows "+strings.Join(all, ", "), pagePatience, func() bool {
		text := b.text()
		return !slices.ContainsFunc(all, func(one string) bool { return !strings.Contains(text, one) })
	})
}

// click clicks what the CSS selector finds, once it is there.
func (b *browser) click(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pagePatience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)), "click on %s", selector)
}

// picture keeps what the tab shows now.
func (b *browser) picture(name string) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	require.NoError(b.t, err)
	file := filepath.Join(b.pictures, name+".png")
	require.NoError(b.t, os.WriteFile(file, fewColours(b.t, png), 0o644))
	b.t.Logf("picture: %s", file)
}
