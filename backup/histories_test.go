package backup

import (
	"slices"
	"testing"
	"time"
)

// histories calls do with every history of n symbols over the bands; first is the index of the first symbol, so that
// the work can be split.
func histories(n, first, symbols, bands int, do func(symbol, band []int)) {
	symbol, band := make([]int, n), make([]int, n)
	var ages func(i, from int)
	ages = func(i, from int) {
		if i == n {
			do(symbol, band)
			return
		}
		for band[i] = from; band[i] < bands; band[i]++ {
			ages(i+1, band[i])
		}
	}
	var words func(i int)
	words = func(i int) {
		if i == n {
			ages(0, 0)
			return
		}
		for symbol[i] = range symbols {
			words(i + 1)
		}
	}
	symbol[0] = first
	words(1)
}

// table parses every word once: position, symbol, band.
func table[T any](t *testing.T, n int, symbols, bands []string, read func(word, int) T) [][][]T {
	cells := make([][][]T, n)
	for i := range cells {
		cells[i] = make([][]T, len(symbols))
		for j, l := range symbols {
			for _, age := range bands {
				name, project, _ := cutProject(l)
				cells[i][j] = append(cells[i][j], read(parseWord(t, i+1, name+"-"+age+project), i))
			}
		}
	}
	return cells
}

func cutProject(l string) (name, project string, found bool) {
	if i := slices.Index([]byte(l), '@'); i >= 0 {
		return l[:i], l[i:], true
	}
	return l, "", false
}

// recordAt sets different end times for records of the same second by their position, and linkAt different creation
// times: an order that Cinder's times leave open.
func recordAt(t *testing.T) func(word, int) Record {
	return func(w word, position int) Record {
		r := w.record(t)
		end := w.at.Add(time.Duration(position) * time.Second)
		r.EndedAt, r.ChangedAt = &end, end
		if r.AvailableAt != nil {
			r.AvailableAt = &end
		}
		return r
	}
}

func linkAt(t *testing.T) func(word, int) Link {
	return func(w word, position int) Link {
		l := w.link(t)
		l.CreatedTime = w.at.Add(time.Duration(position) * time.Second)
		return l
	}
}

// shuffle copies src in an order that depends on turn.
func shuffle[T any](dst, src []T, turn int) {
	n := len(src)
	for i := range src {
		dst[(i+turn)%n] = src[i]
	}
	if turn/n%2 == 1 {
		slices.Reverse(dst)
	}
}

func formatHistory(symbols, bands []string, symbol, band []int) (history string) {
	for i := range symbol {
		history += symbols[symbol[i]] + "-" + bands[band[i]] + " "
	}
	return history
}
