//go:build browser

package e2e

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// fewColours draws a picture with its most frequent colours alone: a third of the bytes, and nobody sees a difference.
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
