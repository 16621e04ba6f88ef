package view

import (
	"fmt"
	"strings"
	"time"
)

// A Plot is a line over the days of the last month, in a box of 300 by 80.
type Plot struct {
	Line, Area string // points of a polyline and of the polygon below it
	From, To   string // dates at the ends of the axis
	Newest     int
	Most       int
	Text       string // the same in words
}

const plotWidth, plotHeight = 300.0, 80.0

// PlotOf returns the plot of the values of days, which end at today; nil if there are none. unit is such as "GiB".
func PlotOf(today time.Time, days []StoredDay, unit string, value func(StoredDay) int) *Plot {
	if len(days) == 0 {
		return nil
	}
	begin := monthBegin(today)
	p := Plot{From: begin.Format(time.DateOnly), To: today.Format(time.DateOnly), Newest: value(days[len(days)-1])}
	least := value(days[0])
	for _, d := range days {
		p.Most, least = max(p.Most, value(d)), min(least, value(d))
	}
	var points []string
	x := func(d StoredDay) float64 {
		at, _ := time.Parse(time.DateOnly, d.Date) // our own format
		return plotWidth * at.Sub(begin).Hours() / 24 / (monthDays - 1)
	}
	for _, d := range days {
		points = append(points, fmt.Sprintf("%.1f,%.1f", x(d), plotHeight*(1-float64(value(d))/float64(max(p.Most, 1)))))
	}
	if len(points) == 1 { // a line needs two points
		points = append(points, fmt.Sprintf("%.1f,%s", x(days[0])-2, strings.SplitN(points[0], ",", 2)[1]))
	}
	first, last := x(days[0]), x(days[len(days)-1])
	p.Line = strings.Join(points, " ")
	p.Area = fmt.Sprintf("%.1f,%.0f %s %.1f,%.0f", first, plotHeight, p.Line, last, plotHeight)
	p.Text = fmt.Sprintf("%s: %d %s, %s: %d %s; at least %d, at most %d.", days[0].Date, value(days[0]), unit, days[len(days)-1].Date, p.Newest, unit, least, p.Most)
	return &p
}
