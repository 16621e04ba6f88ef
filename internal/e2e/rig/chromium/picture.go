//go:build browser

package chromium

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// fewColours reduces a picture to its most frequent colours: a third of the bytes, without a visible difference.
func fewColours(t testing.TB, picture []byte) []byte {
	t.Helper()
	const most = 200
	from, err := png.Decode(bytes.NewReader(picture))
	require.NoError(t, err)
	count, area := map[color.RGBA]int{}, from.Bounds()
	each := func(do func(x, y int, c color.RGBA)) {
		for y := area.Min.Y; y < area.Max.Y; y++ {
			for x := area.Min.X; x < area.Max.X; x++ {
				c, _ := color.RGBAModel.Convert(from.At(x, y)).(color.RGBA)
				do(x, y, c)
			}
		}
	}
	each(func(_, _ int, c color.RGBA) { count[c]++ })
	number := func(c color.RGBA) int { return int(c.R)<<16 | int(c.G)<<8 | int(c.B) }
	colours := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(number(a), number(b)))
	})
	var palette color.Palette
	for _, c := range colours[:min(most, len(colours))] {
		palette = append(palette, c)
	}
	to := image.NewPaletted(area, palette)
	each(func(x, y int, c color.RGBA) { to.Set(x, y, c) })
	var small bytes.Buffer
	require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, to))
	return small.Bytes()
}

// Picture saves what the tab shows now.
func (b *Tab) Picture(name string) {
	b.t.Helper()
	seen, err := chromedp.Run(b.Ctx, chromedp.CaptureScreenshot())
	require.NoError(b.t, err)
	file := filepath.Join(b.pictures, name+".png")
	require.NoError(b.t, os.WriteFile(file, fewColours(b.t, seen), 0o644)) //nolint:gosec // readable for everybody
	b.t.Logf("picture: %s", file)
}

// unreadable finds text whose contrast with its background is below WCAG's minimum (4.5, large text 3).
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

// unlabelled finds elements that a screen reader cannot name, and missing parts that every page must have.
const unlabelled = `[...document.querySelectorAll("input:not([type=hidden]),select")].filter(e => !e.labels.length).map(e => e.name)
	.concat([...document.querySelectorAll("a,button")].filter(e => !e.textContent.trim()).map(e => "empty " + e.outerHTML))
	.concat(document.querySelectorAll("h1").length == 1 && document.querySelector("main") && document.documentElement.lang ? [] : ["h1, main or lang"]).join("; ")`

// pictures4 saves the page wide and narrow, light and dark. It asserts that the page fits, is readable and has labels.
func (b *Tab) pictures4(name string) {
	b.t.Helper()
	require.Empty(b.t, b.Get(unlabelled), name)
	for _, width := range []int64{1200, 380} {
		for _, scheme := range []string{"light", "dark"} {
			_, err := chromedp.Call(b.Ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 800, DeviceScaleFactor: 1})
			require.NoError(b.t, err)
			_, err = chromedp.Call(b.Ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
			require.NoError(b.t, err)
			require.Empty(b.t, b.Get(unreadable), "%s, %d wide, %s", name, width, scheme)
			require.Equal(b.t, "fits", b.Get(`document.documentElement.scrollWidth > innerWidth ? "wider: " + document.documentElement.scrollWidth : "fits"`), "%s, %d wide", name, width)
			seen, err := chromedp.Run(b.Ctx, chromedp.FullScreenshot(100))
			require.NoError(b.t, err)
			file := filepath.Join(b.pictures, fmt.Sprintf("%s-%d-%s.png", name, width, scheme))
			require.NoError(b.t, os.WriteFile(file, seen, 0o644)) //nolint:gosec // as above
		}
	}
	_, err := chromedp.Call(b.Ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1200, Height: 900, DeviceScaleFactor: 1})
	require.NoError(b.t, err)
}
