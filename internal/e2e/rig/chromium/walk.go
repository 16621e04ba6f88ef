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
	Absent                  string // name of a project that must not be visible; empty: the visitor sees "globex"
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

	b.fill("volume", v.Volume)
	b.Click(`.filter button`)
	b.until("one volume's backups", func() bool {
		return b.count(`tbody tr`) > 0 && b.count(fmt.Sprintf(`tbody th a:not([href="/volumes/%s"])`, v.Volume)) == 0
	})
	b.Click(`tbody tr:first-child th a`)
	b.Shows("Chains", "Last 30 days", "Decision, and what comes next", "Policy")
	require.Equal(b.t, 30, b.count(".strip li"))
	require.Positive(b.t, b.count(".chain li"))
	b.pictures4(user + "-volume")
	b.Click(`nav a[href="/"]`)
	b.Shows("Protection at a glance", "protected")
	b.pictures4(user + "-glance")
	b.Click(`nav a[href="/volumes"]`)
	b.Shows("Newest restore point")
	b.pictures4(user + "-volumes")
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
