package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"staffeln/db"
	"staffeln/view"
)

var ofProjects = []parameter{
	{name: "search", desc: "only those in whose name or ID this text occurs, in upper or lower case", kind: "string"},
	{name: "sort", desc: "by one column; with - the other way round", kind: "string", words: bothWays("name", "protected", "late", "failed", "points", "gib", "quota"), fallback: "name"},
	byLimit, byCursor,
}

// errOperatorsOnly is the response to tenants.
var errOperatorsOnly = fault{http.StatusForbidden, "only operators see the list of all projects"}

// ProjectsPage is one page of projects.
type ProjectsPage struct {
	view.ProjectList

	Next string `json:"next" desc:"cursor of the next page; \"\": this is the last one"`

	previous bool // there is a previous page
}

// projectNumbers are the columns by which projects are sorted; the name and the ID follow.
var projectNumbers = map[string]func(view.ProjectSummary) int{
	"name":      func(view.ProjectSummary) int { return 0 },
	"protected": func(p view.ProjectSummary) int { return p.Volumes.Protected },
	"late":      func(p view.ProjectSummary) int { return p.Volumes.Late },
	"failed":    func(p view.ProjectSummary) int { return p.Failed },
	"points":    func(p view.ProjectSummary) int { return p.Points },
	"gib":       func(p view.ProjectSummary) int { return p.GiB },
	"quota":     view.ProjectSummary.QuotaRate,
}

func (w *Handler) projects(ctx context.Context, a access, _ string, given map[string]string) (any, error) {
	if !a.all {
		return nil, errOperatorsOnly
	}
	request, err := readPageRequest(given)
	if err != nil {
		return nil, err
	}
	var v ProjectsPage
	err = w.read(ctx, func(ctx context.Context, l *db.Snapshot) error {
		v.ProjectList, err = w.reader(a).Projects(ctx, l)
		return err
	})
	if err != nil {
		return nil, err
	}
	v.cut(given["search"], given["sort"], request)
	return v, nil
}

// cut reduces the list to one page: of the projects in which the text occurs, in this order.
func (v *ProjectsPage) cut(search, sort string, request pageRequest) {
	search = strings.ToLower(search)
	all := slices.DeleteFunc(v.Projects, func(p view.ProjectSummary) bool {
		return !strings.Contains(strings.ToLower(p.ProjectName), search) && !strings.Contains(strings.ToLower(p.ProjectID), search)
	})
	order := func(a, b *pageCursor) int {
		n := cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
		if strings.HasPrefix(sort, "-") {
			return -n
		}
		return n
	}
	position := func(p view.ProjectSummary) *pageCursor { return cursorOfProject(p, sort) }
	slices.SortFunc(all, func(a, b view.ProjectSummary) int { return order(position(a), position(b)) })
	begin, end := 0, len(all)
	switch {
	case request.after != nil:
		begin = len(all)
		if i := slices.IndexFunc(all, func(p view.ProjectSummary) bool { return order(position(p), request.after) > 0 }); i >= 0 {
			begin = i
		}
	case request.before != nil:
		if i := slices.IndexFunc(all, func(p view.ProjectSummary) bool { return order(position(p), request.before) >= 0 }); i >= 0 {
			end = i
		}
		begin = max(0, end-request.rows)
	}
	end = min(end, begin+request.rows)
	v.Projects, v.previous = slices.Clip(all[begin:end]), begin > 0
	if end < len(all) && end > begin {
		v.Next = position(all[end-1]).cursor()
	}
}

func cursorOfProject(p view.ProjectSummary, sort string) *pageCursor {
	return &pageCursor{Sort: sort, Name: p.ProjectName, ID: p.ProjectID, Number: projectNumbers[strings.TrimPrefix(sort, "-")](p)}
}

// listProjects shows all projects to operators.
func (w *Handler) listProjects(c echo.Context, a access) error {
	if !a.all {
		return errOperatorsOnly
	}
	given, err := read(c.Request().URL.RawQuery, ofPage(ofProjects))
	if err != nil {
		return err
	}
	result, err := w.projects(c.Request().Context(), a, "", given)
	if err != nil {
		return err
	}
	v, _ := result.(ProjectsPage)
	previous := ""
	if len(v.Projects) > 0 && v.previous {
		previous = cursorOfProject(v.Projects[0], given["sort"]).cursor()
	}
	return w.render(c, 200, "projects", pageData{Title: "Projects", Now: v.At, Who: &a, Body: map[string]any{
		"V": v, "List": list{"/projects", given, ofProjects}, "Next": pageQuery(given, "cursor", v.Next), "Previous": pageQuery(given, "before", previous), "Filtered": filtered(given),
	}})
}
