//go:build browser

package chromium

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit"
)

// Open goes to a page and waits until it is loaded; what its scripts do then is awaited by what they show.
func (b *Tab) Open(address string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, pageTimeout)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, chromedp.Navigate(address)))
}

// Get returns what a script returns, as text. It asks a page that is loaded: on the way from one page to the next there is no
// document, or half of one, and an answer would be about neither.
func (b *Tab) Get(script string) (text string) {
	b.t.Helper()
	testkit.Eventually(b.t, "a loaded page answers "+script, pageTimeout, func() bool {
		answer, err := chromedp.Run(b.Ctx, chromedp.Evaluate[[]string](`document.readyState == "complete" ? [`+script+`] : []`))
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

// Text returns what a person could read.
func (b *Tab) Text() string {
	b.t.Helper()
	return b.Get("document.body.innerText")
}

// Shows waits until the page shows all of that.
func (b *Tab) Shows(all ...string) {
	b.t.Helper()
	testkit.Eventually(b.t, "the page shows "+strings.Join(all, ", "), pageTimeout, func() bool {
		text := b.Text()
		return !slices.ContainsFunc(all, func(one string) bool { return !strings.Contains(text, one) })
	})
}

// Click clicks what the CSS selector finds, once it is there.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, pageTimeout)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)), "click on %s", selector)
}

// fill writes into a field of that name.
func (b *Tab) fill(name, value string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, pageTimeout)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, chromedp.SetValue(chromedp.CSS(fmt.Sprintf(`main [name=%q]`, name)), value)), "fill %s", name)
}

// count is how many elements a CSS selector finds.
func (b *Tab) count(selector string) (n int) {
	b.t.Helper()
	_, err := fmt.Sscan(b.Get(fmt.Sprintf("String(document.querySelectorAll(%q).length)", selector)), &n)
	require.NoError(b.t, err)
	return n
}

func (b *Tab) until(what string, is func() bool) {
	b.t.Helper()
	testkit.Eventually(b.t, what, pageTimeout, is)
}
