//go:build browser

package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig/chromium"
)

// Shows a full day's report and each notice as a mail client does: on a wide screen and on a phone, with light and with dark
// colours. docs/images has some of these pictures; BROWSER_PICTURES saves new ones.
func TestReportInBrowser(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		page, err := os.ReadFile(filepath.Join("..", "..", "..", "view", "testdata", filepath.Base(r.URL.Path)))
		if err == nil { // the browser also requests an icon
			_, _ = w.Write(page)
		}
	}))
	t.Cleanup(server.Close)
	b := chromium.Start(t, "")
	for _, page := range []struct {
		name, file string
		height     int64
		words      []string
	}{
		{"report", "day", 1100, []string{"Not all is well: 2 volumes are late, 5 backups failed", "globex-data-1", "over the limit", "acme-data-39"}},
		{"notice-ended", "ended", 1000, []string{"Protection of 5 volumes ended", "acme-data-4", "The volume was transferred", "What to do"}},
		{"notice-shortened", "shortened", 560, []string{"Retention of 1 volume was shortened, 18 restore points are removed", "Retention 1d instead of 2w3d", "What to do"}},
	} {
		for name, view := range map[string]struct {
			width int64
			dark  string
		}{
			"-1200": {1200, "light"}, "-1200-dark": {1200, "dark"}, "-380": {380, "light"}, "-380-dark": {380, "dark"},
		} {
			_, err := chromedp.Call(b.Ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: view.dark}},
			})
			require.NoError(t, err)
			_, err = chromedp.Call(b.Ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
				Width: view.width, Height: page.height, DeviceScaleFactor: 1, Mobile: view.width < 600,
			})
			require.NoError(t, err)
			b.Open(server.URL + "/" + page.file + ".html")
			b.Shows(page.words...)
			require.Equal(t, "true", b.Get(fmt.Sprintf("String(document.documentElement.scrollWidth <= %d)", view.width)), "the page is not wider than the screen")
			background := b.Get("getComputedStyle(document.body).backgroundColor")
			require.Equal(t, map[string]string{"light": "rgb(242, 244, 246)", "dark": "rgb(20, 23, 26)"}[view.dark], background)
			b.Picture(page.name + name)
		}
	}
}
