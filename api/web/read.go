package web

import (
	"cmp"
	"context"
	_ "embed" // for openapi.json
	"encoding/json"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/view"
)

// readTimeout bounds one read transaction.
const readTimeout = 10 * time.Second

// document describes the read API. Its test generates it from the operations and the fields of the results.
//
//go:generate go test -run TestOpenAPIDocumentIsCurrent . -update
//go:embed openapi.json
var document json.RawMessage

// An operation is one operation of the read API.
type operation struct {
	path, id, summary string // the path in the form of OpenAPI
	parameters        []parameter
	example           any // a value of the result's type
	handle            func(ctx context.Context, a access, id string, given map[string]string) (any, error)
}

// route returns the path in the form of the router.
func (o operation) route() string {
	return strings.NewReplacer("{", ":", "}", "").Replace(o.path)
}

// VolumesPage is one page of volumes.
type VolumesPage struct {
	view.VolumeList

	Next string `json:"next" desc:"cursor of the next page; \"\": this is the last one"`

	previous bool // there is a previous page
}

// BackupsPage is one page of backups.
type BackupsPage struct {
	view.AsOf

	Backups []view.BackupSummary `json:"backups" desc:"those that the filter admits"`
	Next    string               `json:"next" desc:"cursor of the next page; \"\": this is the last one"`

	previous bool // there is a previous page
}

// VolumePage is all that is known of one volume.
type VolumePage struct {
	*view.Explanation

	Why  string     `json:"why" desc:"in a sentence: why it is not protected now; \"\": it is protected, or this is not known"`
	Days []view.Day `json:"days" desc:"the last 30 days, the oldest first"`
	Next string     `json:"next" desc:"cursor of the chains before those that are listed; \"\": there are none"`
}

// historyDays is for how many days a volume's history is shown.
const historyDays = 30

func (w *Handler) operations() []operation {
	return []operation{
		{"/v1/status", "showStatus", "The overview: protection, the outcomes of the last day and month, what runs, what needs attention, pauses, and for operators the processes.", ofStatus, StatusPage{}, w.status},
		{"/v1/volumes", "listVolumes", "Protection of volumes, the reason, and what comes next.", ofVolumes, VolumesPage{}, w.volumes},
		{"/v1/volumes/{volume_id}", "explainVolume", "One volume: its policy, its chains, the decision and its reason, what comes next.", ofVolume, VolumePage{}, w.volume},
		{"/v1/servers/{server_id}", "explainServer", "One server, by ID or name: whether it is protected, its volumes, and how it asks for backups. Known are those to which a plan saw a volume attached.", nil, view.ServerProtection{}, w.server},
		{"/v1/backups", "listBackups", "Backups: when, of what, how they ended, how long they are kept, and why.", ofBackups, BackupsPage{}, w.backups},
		{"/v1/projects", "listProjects", "All projects, for operators: their volumes by protection, failures, storage and quota.", ofProjects, ProjectsPage{}, w.projects},
		{"/v1/openapi.json", "describe", "This document.", nil, nil, func(context.Context, access, string, map[string]string) (any, error) { return document, nil }},
	}
}

// api returns the handler of an operation, which requires a token.
func (w *Handler) api(o operation) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-store")
		c.Response().Header().Set("Vary", "X-Auth-Token")
		result, err := w.perform(c, o)
		if err != nil {
			return writeError(c, err)
		}
		return c.JSON(200, result)
	}
}

func (w *Handler) perform(c echo.Context, o operation) (any, error) {
	ctx := c.Request().Context()
	a, err := w.tokens.check(ctx, c.Request().Header.Get("X-Auth-Token"))
	if err != nil {
		return nil, err
	}
	given, err := read(c.Request().URL.RawQuery, o.parameters)
	if err != nil {
		return nil, err
	}
	return o.handle(ctx, a, cmp.Or(c.Param("volume_id"), c.Param("server_id")), given)
}

// read runs do in a read transaction, within readTimeout and when a read slot is free. It ends when the request ends.
func (w *Handler) read(ctx context.Context, do func(context.Context, *db.Snapshot) error) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if !w.readSlots.take(ctx) {
		return errNoSlot
	}
	defer w.readSlots.release()
	return w.deps.DB.Snapshot(ctx, func(l *db.Snapshot) error { return do(ctx, l) })
}

// volumeSorts are the columns of the lists' orders.
var volumeSorts = map[string]db.VolumeSort{"name": db.ByProject, "volume": db.ByName, "server": db.ByServer, "size": db.BySize, "restore_point": db.ByAge}

func (w *Handler) volumes(ctx context.Context, a access, _ string, given map[string]string) (any, error) {
	request, err := readPageRequest(given)
	if err != nil {
		return nil, err
	}
	f := db.ProtectionFilter{
		Only: a.project(), Project: given["project"], Server: given["server"], Volume: given["volume"],
		Protections: several[backup.Protection](given["protection"]), Search: given["search"], Limit: request.rows,
		After: request.after.volume(), Before: request.before.volume(),
	}
	column, descending := strings.CutPrefix(given["sort"], "-")
	f.Sort, f.Descending = volumeSorts[column], descending
	var v VolumesPage
	err = w.read(ctx, func(ctx context.Context, l *db.Snapshot) error {
		v.VolumeList, err = w.reader(a).Volumes(ctx, l, f)
		return err
	})
	v.previous = f.After != nil || f.Before != nil && v.More
	if n := len(v.Volumes); n > 0 && (v.More || f.Before != nil) {
		v.Next = cursorOfVolume(v.Volumes[n-1], given["sort"]).cursor()
	}
	return v, err
}

func (w *Handler) backups(ctx context.Context, a access, _ string, given map[string]string) (any, error) {
	request, err := readPageRequest(given)
	if err != nil {
		return nil, err
	}
	f := db.Filter{
		Only: a.project(), Project: given["project"], Server: given["server"], Volume: given["volume"],
		States: several[string](given["state"]), Reason: given["reason"], Search: given["search"],
		ByVolume: strings.HasSuffix(given["sort"], "volume"), OldestFirst: !strings.HasPrefix(given["sort"], "-"), Limit: request.rows,
	}
	if f.EndedSince, err = w.moment("ended", given["ended"]); err != nil {
		return nil, err
	}
	if f.From, err = w.moment("from", given["from"]); err != nil {
		return nil, err
	}
	if f.Until, err = w.moment("until", given["until"]); err != nil {
		return nil, err
	}
	if f.After, err = request.after.backup(); err != nil {
		return nil, err
	}
	if f.Before, err = request.before.backup(); err != nil {
		return nil, err
	}
	var page view.BackupList
	err = w.read(ctx, func(ctx context.Context, l *db.Snapshot) error {
		page, err = w.reader(a).Backups(ctx, l, f)
		return err
	})
	v := BackupsPage{AsOf: page.AsOf, Backups: page.Backups}
	v.previous = f.After != nil || f.Before != nil && page.More
	if n := len(page.Backups); n > 0 && (page.More || f.Before != nil) {
		v.Next = cursorOf(page.Backups[n-1], given["sort"]).cursor()
	}
	return v, err
}

func (w *Handler) volume(ctx context.Context, a access, id string, given map[string]string) (any, error) {
	return w.explain(ctx, a, id, given)
}

// byChain is the sort order of a volume's chains, in cursors.
const byChain = "chain"

// explain returns all about one volume. The error for a volume that the token may not see is the same as for one that does not
// exist.
func (w *Handler) explain(ctx context.Context, a access, id string, given map[string]string) (v VolumePage, err error) {
	var wanted view.Stretch
	if wanted.Links, err = rows(given["limit"]); err != nil {
		return v, err
	}
	before, err := readCursor(given["cursor"], byChain)
	if err != nil {
		return v, err
	}
	if pageCursor, err := before.backup(); err != nil {
		return v, err
	} else if pageCursor != nil {
		wanted.Before = &backup.Link{DataTime: pageCursor.At, BackupID: pageCursor.ID}
	}
	if len(id) > longest {
		return v, errUnknown
	}
	err = w.read(ctx, func(ctx context.Context, l *db.Snapshot) error {
		found, err := l.Volumes(ctx, []string{db.Storable(id)})
		if err != nil {
			return err
		}
		r := w.reader(a)
		if len(found) == 0 || r.Project != "" && found[0].ProjectID != r.Project {
			return errUnknown
		}
		if v.Explanation, err = r.Explanation(ctx, l, found[0], wanted); err != nil {
			return err
		}
		v.Why = v.Because()
		if len(v.Chains) > 0 && v.Older() {
			oldest := v.Chains[0].Links[0]
			v.Next = (&pageCursor{Sort: byChain, At: &oldest.DataAt, ID: oldest.BackupID}).cursor()
		}
		v.Days, err = r.Days(ctx, l, found[0].ID, historyDays)
		return err
	})
	return v, err
}
