//go:build browser

package chromium

import (
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Visitor is a person who uses the page.
type Visitor struct {
	URL, Volume             string // the page, and the volume whose link is followed
	Limit                   int    // backups per page
	As                      string // prefix of the pictures' names
	User, Password, Project string
	Absent                  string   // name of a project that must not be visible; empty: the visitor sees "globex"
	Projects                []string // what the page of projects shows beside the names of the two
}

// Walk signs the visitor in, filters, turns pages, opens a volume and signs out.
func (b *Tab) Walk(v Visitor) {
	b.t.Helper()
	user := v.As
	b.Open(fmt.Sprintf("%s/backups?state=available&limit=%d", v.URL, v.Limit))
	b.Shows("Sign in", "With your OpenStack user")
	b.pictures4(user + "-sign-in")
	b.fill("user", v.User)
	b.fill("password", "wrong")
	b.fill("project", v.Project)
	b.Click(`main button[type=submit]`)
	b.Shows("Keystone refuses")
	b.forgiven = []string{"401 (Unauthorized)"} // the browser's console logs each page that is rejected
	require.Empty(b.t, b.Get(`document.querySelector("main [name=password]").value`))
	b.fill("password", v.Password)
	require.NoError(b.t, chromedp.Do(b.Ctx, chromedp.SendKeys(chromedp.CSS(`main [name="password"]`), "\n"))) // with the keyboard
	b.Shows("Backups", "available", "Next page »")                                                            // target of the link
	b.pictures4(user + "-backups")
	const list = `document.querySelector("tbody").innerText`
	top := b.Get(list)
	b.Click(`a[rel=next]`)
	b.until("the next page", func() bool { return strings.Contains(b.Text(), "« Previous page") && b.Get(list) != top })
	b.Click(`a[rel=prev]`)
	b.until("the first page again", func() bool { return b.Get(list) == top })

	b.fill("search", v.Volume[4:])
	b.Click(`.filter button`)
	b.until("one volume's backups", func() bool {
		return b.count(`tbody tr`) > 0 && b.count(fmt.Sprintf(`tbody th a:not([href="/volumes/%s"])`, v.Volume)) == 0
	})
	b.Click(`tbody tr:first-child th a`)
	b.Shows("Chains", "Last 30 days", "Decision, and what comes next", "Policy")
	require.Equal(b.t, 30, b.count(".history li"))
	require.Positive(b.t, b.count(".chain li"))
	b.pictures4(user + "-volume")
	b.Click(`nav a[href="/"]`)
	b.Shows("Protection overview", "protected", "Last 24 hours", "Last 30 days", "Running now", "Stored in the last 30 days")
	if b.count(`.refresh button[value=off]`) > 0 { // the visitor before may have turned it off
		b.Click(`.refresh button[value=off]`)
	}
	b.Shows("This page does not reload itself")
	b.pictures4(user + "-overview")
	b.Click(`nav a[href="/volumes"]`)
	b.Shows("Newest restore point")
	b.pictures4(user + "-volumes")
	b.Click(`th[aria-sort=none] a[href*="sort=-size"]`)
	b.until("sorted by size", func() bool { return b.count(`th[aria-sort=descending]`) == 1 })
	b.Open(v.URL + "/backups?state=failed&from=soon")
	b.Shows("Not a day or time")
	b.pictures4(user + "-unreadable")
	b.forgiven = append(b.forgiven, "400 (Bad Request)")
	if v.Absent == "" {
		b.Click(`nav a[href="/projects"]`)
		b.Shows(append([]string{"Projects", "Quota", "acme", "globex"}, v.Projects...)...)
		b.pictures4(user + "-projects")
		b.Click(`nav a[href="/volumes"]`)
		b.Shows("Newest restore point")
	}
	if v.Absent == "" {
		require.Contains(b.t, b.Text(), "globex")
	} else {
		require.NotContains(b.t, b.Text(), v.Absent)
	}

	b.Click(`.who button`)
	b.Shows("Sign in")
	b.Open(v.URL + "/")
	b.Shows("With your OpenStack user")
}
