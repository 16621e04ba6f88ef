//go:build browser

package e2e

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
)

// The page of a full day's report, as a mail client with a wide window, a phone, and either with dark colours shows it.
// docs/images has these pictures; BROWSER_PICTURES keeps new ones.
func TestReportInBrowser(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "report", "testdata", "day.html"))
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page)
	}))
	t.Cleanup(server.Close)
	b := newBrowser(t, "")
	for name, view := range map[string]struct {
		width int64
		dark  string
	}{
		"report-1200": {1200, "light"}, "report-1200-dark": {1200, "dark"}, "report-380": {380, "light"}, "report-380-dark": {380, "dark"},
	} {
		_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: view.dark}},
		})
		require.NoError(t, err)
		_, err = chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: view.width, Height: 1100, DeviceScaleFactor: 1, Mobile: view.width < 600,
		})
		require.NoError(t, err)
		b.open(server.URL + "/" + name)
		b.shows("Not all is well: 2 volumes are late, 5 backups failed", "globex-data-1", "over the limit", "acme-data-39")
		require.Equal(t, "true", b.get(fmt.Sprintf("String(document.documentElement.scrollWidth <= %d)", view.width)), "nothing sticks out to the right")
		background := b.get("getComputedStyle(document.body).backgroundColor")
		require.Equal(t, map[string]string{"light": "rgb(242, 244, 246)", "dark": "rgb(20, 23, 26)"}[view.dark], background)
		b.picture(name)
	}
}
