//go:build browser

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"staffeln/db"
	"staffeln/internal/testkit"
)

// The page as people use it: a tenant, and an operator, in every width and colour scheme.
func TestPageInBrowser(t *testing.T) {
	t.Parallel()
	r := newWindow(t, 1000*time.Hour)
	r.sim.AddServer(r.acme, "typing-error", map[string]string{r.set.BackupMetadataKey: "yes please"})
	r.protect(r.acme, "new-"+r.acme[:6], 1)
	r.plan()
	r.retention()
	r.sweep()
	r.dispatch()
	lead, err := db.Lead(r.ctx, r.world.url, "scheduler-1")
	require.NoError(t, err)
	t.Cleanup(lead.Resign)
	b := newBrowser(t, "")
	tenant := visitor{url: r.url, volume: r.volume, limit: 10, as: "alice", user: "alice", password: "alice-secret", project: "acme", absent: "globex"}
	operator := tenant
	operator.as, operator.user, operator.password, operator.project, operator.absent = "root", "root", "root-secret", "admin", ""
	b.walkPage(tenant)
	b.walkPage(operator)
}

// visitor is somebody who looks at the page.
type visitor struct {
	url, volume             string // the page, and the volume that is followed
	limit                   int    // backups a page
	as                      string // names the pictures
	user, password, project string
	absent                  string // a project's name that must not be seen; else everybody sees "globex"
}

// walkPage signs somebody in, filters, turns pages, follows a volume and signs out.
func (b *browser) walkPage(v visitor) {
	b.t.Helper()
	user := v.as
	b.open(fmt.Sprintf("%s/backups?state=available&limit=%d", v.url, v.limit))
	b.shows("Sign in", "With your OpenStack user")
	b.pictures4(user + "-sign-in")
	b.fill("user", v.user)
	b.fill("password", "wrong")
	b.fill("project", v.project)
	b.click(`main button[type=submit]`)
	b.shows("Keystone refuses")
	b.forgiven = []string{"401 (Unauthorized)"} // a browser's console tells of each page that is refused
	require.Empty(b.t, b.get(`document.querySelector("main [name=password]").value`))
	b.fill("password", v.password)
	require.NoError(b.t, chromedp.Do(b.ctx, chromedp.SendKeys(chromedp.CSS(`main [name="password"]`), "\n"))) // by keyboard
	b.shows("Backups", "available", "Next page »")                                                            // where the link led to
	b.pictures4(user + "-backups")
	const list = `document.querySelector("tbody").innerText`
	top := b.get(list)
	b.click(`a[rel=next]`)
	b.until("the next page", func() bool { return strings.Contains(b.text(), "« Previous page") && b.get(list) != top })
	b.click(`a[rel=prev]`)
	b.until("the first page again", func() bool { return b.get(list) == top })

	b.fill("volume", v.volume)
	b.click(`.filter button`)
	b.until("one volume's backups", func() bool {
		return b.count(`tbody tr`) > 0 && b.count(fmt.Sprintf(`tbody th a:not([href="/volumes/%s"])`, v.volume)) == 0
	})
	b.click(`tbody tr:first-child th a`)
	b.shows("Chains", "Last 30 days", "Decision, and what comes next", "Policy")
	require.Equal(b.t, 30, b.count(".strip li"))
	require.Positive(b.t, b.count(".chain li"))
	b.pictures4(user + "-volume")
	b.click(`nav a[href="/"]`)
	b.shows("Protection at a glance", "protected")
	b.pictures4(user + "-glance")
	b.click(`nav a[href="/volumes"]`)
	b.shows("Newest restore point")
	b.pictures4(user + "-volumes")
	if v.absent == "" {
		require.Contains(b.t, b.text(), "globex")
	} else {
		require.NotContains(b.t, b.text(), v.absent)
	}

	b.click(`.who button`)
	b.shows("Sign in")
	b.open(v.url + "/")
	b.shows("With your OpenStack user")
}

// fill writes into a field of that name.
func (b *browser) fill(name, value string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pagePatience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, chromedp.SetValue(chromedp.CSS(fmt.Sprintf(`main [name=%q]`, name)), value)), "fill %s", name)
}

// count is how many elements a CSS selector finds.
func (b *browser) count(selector string) (n int) {
	b.t.Helper()
	_, err := fmt.Sscan(b.get(fmt.Sprintf("String(document.querySelectorAll(%q).length)", selector)), &n)
	require.NoError(b.t, err)
	return n
}

func (b *browser) until(what string, is func() bool) {
	b.t.Helper()
	testkit.Eventually(b.t, what, pagePatience, is)
}

// unreadable finds text with less contrast to what is behind it than WCAG asks for (4.5, large text 3).
const unreadable = `(() => {
	const light = c => { const f = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; return .2126 * f(c[0]) + .7152 * f(c[1]) + .0722 * f(c[2]) };
	const parse = s => s.match(/[\d.]+/g).map(Number);
	const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c } return [255, 255, 255] };
	const found = [];
	for (const e of document.querySelectorAll("body *")) {
		if (![...e.childNodes].some(n => n.nodeType == 3 && n.data.trim()) || !e.checkVisibility()) continue;
		const style = getComputedStyle(e), a = light(parse(style.color)), b = light(behind(e));
		const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
		if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) found.push(e.className + " " + e.textContent.trim().slice(0, 30) + " " + ratio.toFixed(1));
	}
	return found.join("; ");
})()`

// unlabelled finds what a screen reader could not name, and what a page must have.
const unlabelled = `[...document.querySelectorAll("input:not([type=hidden]),select")].filter(e => !e.labels.length).map(e => e.name)
	.concat([...document.querySelectorAll("a,button")].filter(e => !e.textContent.trim()).map(e => "empty " + e.outerHTML))
	.concat(document.querySelectorAll("h1").length == 1 && document.querySelector("main") && document.documentElement.lang ? [] : ["h1, main or lang"]).join("; ")`

// pictures4 keeps the page wide and narrow, light and dark, and asserts that it fits, can be read and is named.
func (b *browser) pictures4(name string) {
	b.t.Helper()
	require.Empty(b.t, b.get(unlabelled), name)
	for _, width := range []int64{1200, 380} {
		for _, scheme := range []string{"light", "dark"} {
			_, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 800, DeviceScaleFactor: 1})
			require.NoError(b.t, err)
			_, err = chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
			require.NoError(b.t, err)
			require.Empty(b.t, b.get(unreadable), "%s, %d wide, %s", name, width, scheme)
			require.Equal(b.t, "fits", b.get(`document.documentElement.scrollWidth > innerWidth ? "wider: " + document.documentElement.scrollWidth : "fits"`), "%s, %d wide", name, width)
			png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
			require.NoError(b.t, err)
			require.NoError(b.t, os.WriteFile(filepath.Join(b.pictures, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), png, 0o644))
		}
	}
	_, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1200, Height: 900, DeviceScaleFactor: 1})
	require.NoError(b.t, err)
}
