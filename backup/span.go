package backup

import (
	"fmt"
	"time"
)

// Span formats a duration with its two largest units, in the notation of the configuration: 2d4h, 30min, 10s. Less
// than a second is 0s.
func Span(d time.Duration) string {
	units := []struct {
		name string
		is   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}}
	for i, u := range units {
		if d < u.is {
			continue
		}
		words := fmt.Sprintf("%d%s", d/u.is, u.name)
		if i+1 < len(units) {
			if rest := d % u.is / units[i+1].is; rest > 0 {
				words += fmt.Sprintf("%d%s", rest, units[i+1].name)
			}
		}
		return words
	}
	return "0s"
}
