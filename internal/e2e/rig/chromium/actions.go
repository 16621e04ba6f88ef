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

// Open loads a page completely. Use Shows to wait for what the page's scripts do later.
func (b *Tab) Open(address string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, pageTimeout)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, chromedp.Navigate(address)))
}

// Get returns the result of a script as text. It waits for a loaded page: between two pages there is no document, or a partial
// one, and the result would be about neither page.
func (b *Tab) Get(script string) (text string) {
	b.t.Helper()
	testkit.Eventually(b.t, "a loaded page returns the result of "+script, pageTimeout, func() bool {
		result, err := chromedp.Run(b.Ctx, chromedp.Evaluate[[]string](`document.readyState == "complete" ? [`+script+`] : []`))
		if thrown, ok := errors.AsType[*chromedp.ExceptionError](err); ok {
			require.NoError(b.t, thrown, script)
		}
		if err != nil {
			b.t.Logf("between two pages: %v", err)
		}
		if err != nil || len(result) == 0 {
			return false
		}
		text = result[0]
		return true
	})
	return text
}

// Text returns the visible text.
func (b *Tab) Text() string {
	b.t.Helper()
	return b.Get("document.body.innerText")
}

// Shows waits until the page shows all of these texts.
func (b *Tab) Shows(all ...string) {
	b.t.Helper()
	testkit.Eventually(b.t, "the page shows "+strings.Join(all, ", "), pageTimeout, func() bool {
		text := b.Text()
		return !slices.ContainsFunc(all, func(one string) bool { return !strings.Contains(text, one) })
	})
}

// Click waits for the element of a CSS selector and clicks it.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, pageTimeout)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)), "click on %s", selector)
}

// SignIn signs a user in and returns at the overview.
func (b *Tab) SignIn(address, user, password, project string) {
	b.t.Helper()
	b.Open(address)
	b.Shows("With your OpenStack user")
	b.fill("user", user)
	b.fill("password", password)
	b.fill("project", project)
	b.Click(`main button[type=submit]`)
	b.Shows("Protection overview")
}

// fill writes into the field with that name.
func (b *Tab) fill(name, value string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Ctx, pageTimeout)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, chromedp.SetValue(chromedp.CSS(fmt.Sprintf(`main [name=%q]`, name)), value)), "fill %s", name)
}

// count returns the number of elements that a CSS selector finds.
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
