package web

import (
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"staffeln/backup"
	"staffeln/view"
)

// perPage is the default number of rows of a list.
const perPage = "25"

// ofPage returns the parameters of a list on the page, which can also page back.
func ofPage(known []parameter) []parameter {
	known = slices.Clone(known)
	for i := range known {
		if known[i].name == byLimit.name {
			known[i].fallback = perPage
		}
	}
	return append(known, parameter{name: "before", desc: "the page before this position", kind: "string"})
}

// listVolumes shows the protection of volumes.
func (w *Handler) listVolumes(c echo.Context, a access) error {
	given, err := read(c.Request().URL.RawQuery, ofPage(ofVolumes))
	if err != nil {
		return err
	}
	result, err := w.volumes(c.Request().Context(), a, "", given)
	if err != nil {
		return err
	}
	v, _ := result.(VolumesPage)
	previous := ""
	if len(v.Volumes) > 0 && v.previous {
		previous = cursorOfVolume(v.Volumes[0], given["sort"]).cursor()
	}
	return w.render(c, 200, "volumes", pageData{Title: "Volumes", Now: v.At, Who: &a, Body: map[string]any{
		"V": v, "List": list{"/volumes", given, ofVolumes}, "Protections": backup.Protections, "Next": pageQuery(given, "cursor", v.Next), "Previous": pageQuery(given, "before", previous), "Filtered": filtered(given),
	}})
}

// listBackups shows backups as Horizon's panel does, and when they expire. It has no delete button.
func (w *Handler) listBackups(c echo.Context, a access) error {
	given, err := read(c.Request().URL.RawQuery, ofPage(ofBackups))
	if err != nil {
		return err
	}
	result, err := w.backups(c.Request().Context(), a, "", given)
	status, faults := 200, map[string]string{}
	var of fieldError
	switch {
	case errors.As(err, &of): // shown at the field
		status, faults[of.field] = of.status, of.words()
		result = BackupsPage{AsOf: view.AsOf{At: w.deps.Now()}}
	case err != nil:
		return err
	}
	v, _ := result.(BackupsPage)
	previous := ""
	if len(v.Backups) > 0 && v.previous {
		previous = cursorOf(v.Backups[0], given["sort"]).cursor()
	}
	return w.render(c, status, "backups", pageData{Title: "Backups", Now: v.At, Who: &a, Body: map[string]any{
		"V": v, "List": list{"/backups", given, ofBackups}, "Faults": faults, "States": backup.States, "Rows": offered(given["limit"]), "Next": pageQuery(given, "cursor", v.Next), "Previous": pageQuery(given, "before", previous), "Filtered": filtered(given),
	}})
}

// offered returns the numbers of rows that a list offers, including the requested one.
func offered(requested string) []string {
	numbers := []string{"10", "25", "100"}
	if !slices.Contains(numbers, requested) {
		numbers = append([]string{requested}, numbers...)
	}
	return numbers
}

// pageQuery returns the query of another page of the same list; "" if there is none.
func pageQuery(given map[string]string, name, to string) string {
	if to == "" {
		return ""
	}
	q := url.Values{name: {to}}
	for key, value := range given {
		if value != "" && key != "cursor" && key != "before" {
			q.Set(key, value)
		}
	}
	return "?" + q.Encode()
}

func filtered(given map[string]string) bool {
	return slices.ContainsFunc([]string{"project", "server", "volume", "search", "protection", "state", "reason", "ended", "from", "until"}, func(name string) bool { return given[name] != "" })
}

// showVolume explains one volume.
func (w *Handler) showVolume(c echo.Context, a access) error {
	known := slices.Clone(ofVolume)
	known[0].fallback = perPage
	given, err := read(c.Request().URL.RawQuery, known)
	if err != nil {
		return err
	}
	v, err := w.explain(c.Request().Context(), a, c.Param("volume_id"), given)
	if err != nil {
		return err
	}
	made, failed, lost := 0, 0, 0
	for _, d := range v.Days {
		made, failed, lost = made+d.Made, failed+d.Failed, lost+d.Lost
	}
	return w.render(c, 200, "volume", pageData{Title: "Volume " + v.Volume(), Now: v.At, Who: &a, Body: map[string]any{
		"V": v, "Made": made, "Failed": failed, "Lost": lost, "Older": pageQuery(given, "cursor", v.Next),
		"Restful": v.Protection == backup.Protected || v.Protection == backup.Gone,
		"Unknown": v.Unseen(),
		"Waits":   backup.Action(v.Now.Action) == backup.Wait,
	}})
}

// A dayView is one day of the history: its CSS class and symbol, and its text for screen readers.
type dayView struct{ Date, Class, Mark, Text string }

func viewDay(d view.Day) dayView {
	v := dayView{Date: d.Date, Text: view.Plural(d.Made, "restore point made", "restore points made")}
	if d.Failed > 0 {
		v.Text += ", " + view.Plural(d.Failed, "attempt failed", "attempts failed")
	}
	if d.Lost > 0 {
		v.Text += fmt.Sprintf(", %d lost since", d.Lost)
	}
	switch {
	case d.Made > d.Lost && d.Failed+d.Lost > 0:
		v.Class, v.Mark = "mixed", "±"
	case d.Made > d.Lost:
		v.Class, v.Mark = "made", "✓"
	case d.Failed+d.Lost > 0:
		v.Class, v.Mark = "failed", "✕"
	default:
		v.Class, v.Text = "none", "nothing was made"
	}
	return v
}
