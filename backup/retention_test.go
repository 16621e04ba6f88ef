package backup

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A scenario of one volume's retention: `10h keep=1d` is what the servers request ten hours later (`keep=?`
// unreadable, `keep=` the key is removed), or `default=1w`, what the operator sets; then `-> value source`, and after
// `<` the shorter value that is delayed.
func requireRetention(t *testing.T, b Bounds, steps string) {
	t.Helper()
	var before Retention
	at, w := now, Wish{}
	for line := range strings.Lines(strings.TrimSpace(steps)) {
		action, want, _ := strings.Cut(strings.TrimSpace(line), " -> ")
		for word := range strings.FieldsSeq(action) {
			name, value, _ := strings.Cut(word, "=")
			switch name {
			case "default":
				b.Default = period(value)
			case "keep":
				w = Wish{Unreadable: value == "?"}
				if p, err := ParsePeriod(value); err == nil {
					w.Retention = &p
				}
			default:
				at = at.Add(span(t, name))
			}
		}
		before = Retain(at, before, w, b)
		got := before.InForce.String() + " " + string(before.Source)
		if before.Shorter != nil {
			got += " < " + before.Shorter.String()
		}
		require.Equal(t, want, got, "%s\nin:\n%s", line, steps)
	}
}

var usual = Bounds{Default: period("2w3d"), ShortenDelay: 24 * time.Hour}

// An attacker with a stolen tenant password must not be able to make us delete backups at once.
func TestRetainDelaysShorterRetention(t *testing.T) {
	requireRetention(t, usual, `
		keep=4w     -> 4w metadata
		1h keep=1d  -> 4w metadata < 1d
		23h         -> 4w metadata < 1d
		59min59s    -> 4w metadata < 1d
		1s          -> 1d metadata`)
	// An even shorter value waits for its own full day; a longer one continues to wait.
	requireRetention(t, usual, `
		keep=4w     -> 4w metadata
		0s keep=2w  -> 4w metadata < 2w
		23h keep=1s -> 4w metadata < 1s
		23h         -> 4w metadata < 1s
		1h          -> 1s metadata`)
	requireRetention(t, usual, `
		keep=4w     -> 4w metadata
		0s keep=1d  -> 4w metadata < 1d
		23h keep=2w -> 4w metadata < 2w
		1h          -> 2w metadata`)
	// The owner corrects it within the day.
	requireRetention(t, usual, `
		keep=4w      -> 4w metadata
		0s keep=1s   -> 4w metadata < 1s
		23h keep=4w  -> 4w metadata
		2h keep=1s   -> 4w metadata < 1s
		23h59min59s  -> 4w metadata < 1s`)
	// A value below the default is shorter too, and so is a removed key.
	requireRetention(t, usual, `
		keep=        -> 2w3d default
		0s keep=1d   -> 2w3d default < 1d
		24h          -> 1d metadata`)
	requireRetention(t, usual, `
		keep=1y      -> 1y metadata
		0s keep=     -> 1y metadata < 2w3d
		24h          -> 2w3d default`)
}

func TestRetainLongerAtOnce(t *testing.T) {
	requireRetention(t, usual, `
		keep=        -> 2w3d default
		1s keep=4w   -> 4w metadata
		1s keep=1y   -> 1y metadata
		1s keep=1d   -> 1y metadata < 1d
		1s keep=2y   -> 2y metadata`)
	requireRetention(t, usual, `
		keep=1d      -> 1d metadata
		1s keep=     -> 2w3d default`)
	// The same length in other units.
	requireRetention(t, usual, `
		keep=7d      -> 1w metadata
		1s keep=1w   -> 1w metadata`)
}

// The operator's default takes effect at once for the volumes that use it.
func TestRetainOperatorsDefault(t *testing.T) {
	requireRetention(t, usual, `
		keep=           -> 2w3d default
		1s default=1d   -> 1d default
		1s default=4w   -> 4w default`)
	requireRetention(t, usual, `
		keep=2w         -> 2w metadata
		1s default=1d   -> 2w metadata
		1s keep=        -> 2w metadata < 1d`)
}

func TestRetainUnreadable(t *testing.T) {
	requireRetention(t, usual, `
		keep=?          -> 2w3d default
		1s default=1w   -> 1w default`)
	requireRetention(t, usual, `
		keep=4w         -> 4w metadata
		1w keep=?       -> 4w metadata
		1w              -> 4w metadata
		1w default=1y   -> 4w metadata`)
	// It does not let a shorter value take effect before its delay.
	requireRetention(t, usual, `
		keep=4w         -> 4w metadata
		0s keep=1d      -> 4w metadata < 1d
		23h keep=?      -> 4w metadata
		23h keep=1d     -> 4w metadata < 1d`)
}

func TestRetainBounds(t *testing.T) {
	b := Bounds{Default: period("2w"), Min: period("1w"), Max: period("1y"), ShortenDelay: time.Hour}
	requireRetention(t, b, `
		keep=1d    -> 1w metadata`)
	requireRetention(t, b, `
		keep=9y    -> 1y metadata
		0s keep=2y -> 1y metadata
		0s keep=1s -> 1y metadata < 1w
		1h         -> 1w metadata`)
	// The bounds apply to metadata, not to the operator's default.
	b.Default = period("1d")
	requireRetention(t, b, `
		keep=      -> 1d default`)
	requireRetention(t, Bounds{Default: period("2w")}, `
		keep=9y    -> 9y metadata
		0s keep=1s -> 1s metadata`) // no delay
}

// No request shortens the retention in force within the delay, except the operator's.
func TestRetainNeverShortensWithinDelay(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		b := Bounds{Default: period("10d"), ShortenDelay: 24 * time.Hour}
		start := Retain(now, Retention{}, Wish{Retention: ptrPeriod("30d")}, b)
		at, before := now, start
		for at.Sub(now) < 23*time.Hour {
			at = at.Add(time.Duration(rapid.IntRange(0, 40_000).Draw(r, "seconds")) * time.Second)
			if at.Sub(now) >= 24*time.Hour {
				return
			}
			w := Wish{Unreadable: rapid.Bool().Draw(r, "unreadable")}
			if s := rapid.SampledFrom([]string{"", "1s", "1d", "10d", "29d", "30d", "31d", "60d"}).Draw(r, "keep"); s != "" {
				w.Retention = ptrPeriod(s)
			}
			after := Retain(at, before, w, b)
			require.False(r, before.InForce.Longer(at, after.InForce), "%+v %+v", before, after)
			before = after
		}
	})
}

func ptrPeriod(s string) *Period { p := period(s); return &p }
