package web

import (
	"html/template"
	"slices"
	"strings"
)

// A list is what the templates need of a list on the page: its path, and its parameters.
type list struct {
	Path  string
	Given map[string]string
	known []parameter
}

// A columnHead is the head of a column by which a list can be sorted.
type columnHead struct {
	Name, URL string
	Sorted    string // ascending, descending or none, as aria-sort
	Number    bool
}

// Head returns the head of a column. A click sorts by it, and the next one the other way round. Numbers begin with the largest.
func (l list) Head(name, sort string, number bool) columnHead {
	h, now := columnHead{Name: name, Sorted: "none", Number: number}, l.Given["sort"]
	next := sort
	if number {
		next = "-" + sort
	}
	switch now {
	case sort:
		h.Sorted, next = "ascending", "-"+sort
	case "-" + sort:
		h.Sorted, next = "descending", sort
	}
	given := map[string]string{}
	for name, value := range l.Given {
		if name != "sort" {
			given[name] = value
		}
	}
	h.URL = l.Path + pageQuery(given, "sort", next)
	return h
}

// Latest is [list.Head] of a time: the latest first.
func (l list) Latest(name, sort string) columnHead {
	h := l.Head(name, sort, true)
	h.Number = false
	return h
}

// Sorts returns the orders, for a choice where the heads of the columns are not visible.
func (l list) Sorts() []string {
	i := slices.IndexFunc(l.known, func(p parameter) bool { return p.name == "sort" })
	return l.known[i].words
}

// sortWords are the orders as people read them.
func sortWords(sort string) string {
	name, reversed := strings.CutPrefix(sort, "-")
	name = strings.ReplaceAll(name, "_", " ")
	if reversed {
		return name + " ↓"
	}
	return name + " ↑"
}

// Kept are the parameters that a form sends along although it has no fields for them, with what they mean.
func (l list) Kept() []keptParameter {
	var kept []keptParameter
	for _, name := range []string{"project", "server", "volume", "reason", "ended"} {
		if l.Given[name] == "" {
			continue
		}
		given := map[string]string{}
		for other, value := range l.Given {
			if other != name {
				given[other] = value
			}
		}
		without := l.Path
		if filtered(given) {
			without += pageQuery(given, "sort", l.Given["sort"])
		}
		kept = append(kept, keptParameter{name, l.Given[name], without})
	}
	return kept
}

// A keptParameter is one filter, and the URL of the list without it.
type keptParameter struct{ Name, Value, Without string }

// soonDays is from how many days on a full quota stands out.
const soonDays = 30

// listWords are the functions for lists in the templates.
var listWords = template.FuncMap{"sorted": sortWords, "soon": func(days *int) bool { return *days <= soonDays }, "keptName": func(name string) string {
	if name == "ended" {
		return "ended since"
	}
	return name
}}
