package cloudsim

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// ids collects the IDs of a list by following its next links, and returns the sizes of the pages.
func (c client) ids(path, collection string) (ids []string, pages []int) {
	c.l.t.Helper()
	for path != "" {
		var items []struct{ ID string }
		var links []link
		body := map[string]json.RawMessage{}
		for _, err := range []error{
			json.Unmarshal([]byte(c.get(path).want(200).body), &body),
			json.Unmarshal(body[collection], &items),
		} {
			if err != nil {
				c.l.t.Fatal(err)
			}
		}
		for _, item := range items {
			ids = append(ids, item.ID)
		}
		pages = append(pages, len(items))
		path = ""
		if next := body[collection+"_links"]; next != nil {
			if err := json.Unmarshal(next, &links); err != nil {
				c.l.t.Fatal(err)
			}
			path = links[0].Href
		}
	}
	return ids, pages
}

func TestAPI_EveryFullPageHasANextLink(t *testing.T) {
	l := newBench(t)
	var volumes []string
	for range 4 {
		l.clock.step(time.Second)
		v := l.attached(1)
		l.staffeln.start(v, false)
		volumes = append(volumes, v)
	}
	l.clock.step(3 * time.Second)
	for _, path := range []string{
		"/volume/v3/{p}/volumes/detail?all_tenants=1&limit=2", "/volume/v3/{p}/backups/detail?all_tenants=1&limit=2",
		"/compute/v2.1/servers/detail?all_tenants=1&limit=2", "/volume/v3/{p}/volumes?limit=2&all_tenants=1&sort=created_at:asc",
		"/compute/v2.1/servers?all_tenants=1&limit=2&sort_key=uuid&sort_dir=asc",
	} {
		name := strings.Split(strings.SplitN(path, "?", 2)[0], "/")[4-strings.Count(path[:8], "compute")]
		ids, pages := l.foreign.ids(path, name)
		if !slices.Equal(pages, []int{2, 2, 0}) {
			t.Fatalf("%s: pages %v, want an empty one after an exact multiple", path, pages)
		}
		slices.Sort(ids)
		if len(slices.Compact(ids)) != 4 {
			t.Fatalf("%s: %v", path, ids)
		}
	}
	ids, _ := l.foreign.ids("/volume/v3/{p}/volumes?all_tenants=1&sort=created_at:asc", "volumes")
	if !slices.Equal(ids, volumes) {
		t.Fatal("want the oldest first")
	}
	ids, _ = l.foreign.ids("/volume/v3/{p}/volumes?all_tenants=1", "volumes")
	slices.Reverse(ids)
	if !slices.Equal(ids, volumes) {
		t.Fatal("want the newest first by default")
	}
}

func TestAPI_LimitIsCappedAndZeroIsEmpty(t *testing.T) {
	l := newBench(t, func(o *Options) { o.MaxLimit = 3 })
	for range 4 {
		l.attached(1)
	}
	for _, path := range []string{"/volume/v3/{p}/volumes?", "/compute/v2.1/servers?"} {
		name := map[bool]string{true: "volumes", false: "servers"}[path[1] == 'v']
		for query, want := range map[string]int{"": 3, "limit=5000": 3, "limit=0": 0, "limit=2": 2} {
			if got := len(l.staffeln.get(path + query).want(200).list(name)); got != want {
				t.Fatalf("%s%s: %d, want %d", path, query, got, want)
			}
		}
	}
	l.staffeln.get(backupsPath+"?limit=-1").wantBody(400, `{"badRequest": {"code": 400, "message": "limit param must be positive"}}`)
	l.staffeln.get(backupsPath+"?limit=x").wantBody(400, `{"badRequest": {"code": 400, "message": "limit param must be an integer"}}`)
	l.staffeln.get(backupsPath+"?all_tenants=bogus").wantBody(400, `{"badRequest": {"code": 400, "message": "all_tenants must be a boolean, got 'bogus'."}}`)
	l.staffeln.get("/compute/v2.1/servers?limit=-1").wantBody(400,
		`{"badRequest": {"code": 400, "message": "Invalid input for query parameters limit. Value: -1. '-1' does not match '^[0-9]*$'"}}`)
}

func TestAPI_UnknownMarkers(t *testing.T) {
	l := newBench(t)
	l.staffeln.get(backupsPath+"?marker=nope").wantBody(404, `{"itemNotFound": {"code": 404, "message": "Backup nope could not be found."}}`)
	l.staffeln.get("/volume/v3/{p}/volumes?marker=nope").wantBody(404, `{"itemNotFound": {"code": 404, "message": "Volume nope could not be found."}}`)
	l.staffeln.get("/compute/v2.1/servers?marker=nope").wantBody(400, `{"badRequest": {"code": 400, "message": "marker [nope] not found"}}`)
}

func TestAPI_UnknownFilterMatchesNothingForAdminsAndIsRefusedForOthers(t *testing.T) {
	l := newBench(t)
	v := l.attached(1)
	l.staffeln.full(v)
	count := func(c client, query string) int {
		return len(c.get(backupsPath + "/detail?" + query).want(200).list("backups"))
	}
	for _, filter := range []string{"bogus=1", "tenant_id=" + l.acme, "metadata=x", "is_incremental=false", "user_id=x", "with_count=true"} {
		if n := count(l.staffeln, filter); n != 0 {
			t.Fatalf("%s: %d", filter, n)
		}
	}
	if n := count(l.tenant, "bogus=1"); n != 1 {
		t.Fatal("before 3.31 an unknown filter of a tenant must be dropped")
	}
	l.tenant.at("3.70").get(backupsPath+"/detail?bogus=1").wantBody(400,
		`{"badRequest": {"code": 400, "message": "Invalid filters bogus are found in query options."}}`)
	l.tenant.at("3.70").get(backupsPath+"/detail?bogus=1&project_id=x").wantBody(400,
		`{"badRequest": {"code": 400, "message": "Invalid filters bogus,project_id are found in query options."}}`)
	if n := len(l.staffeln.get("/volume/v3/{p}/volumes/detail?bogus=1").want(200).list("volumes")); n != 0 {
		t.Fatal(n)
	}
}

func TestAPI_TheSixFiltersOfBackups(t *testing.T) {
	l := newBench(t)
	v, w := l.attached(1), l.attached(1)
	full := l.staffeln.full(v)
	l.staffeln.inc(v)
	l.foreign.full(w)
	admin := l.cloud.Cast().AdminProject
	for query, want := range map[string]int{
		"": 3, "status=available": 3, "status=error": 0, "status=error&status=available": 3, "status=available&status=error": 0,
		"volume_id=" + v: 2, "volume_id=" + w: 1, "name=b": 3, "name=c": 0, "name~=b": 3, "project_id=" + admin: 1, "project_id=" + l.acme: 2,
		"parent_id=" + full: 1, "volume_id=" + v + "&project_id=" + admin: 0,
	} {
		if got := len(l.foreign.get(backupsPath + "/detail?all_tenants=1&" + query).want(200).list("backups")); got != want {
			t.Fatalf("%s: %d, want %d", query, got, want)
		}
	}
	if n := len(l.foreign.get(backupsPath + "/detail").want(200).list("backups")); n != 1 {
		t.Fatal("without all_tenants want the token's project only: ", n)
	}
	r := l.foreign.at("3.45").get(backupsPath + "/detail?all_tenants=1&with_count=true&limit=1").want(200)
	if r.at("count") != 3.0 || len(r.list("backups")) != 1 {
		t.Fatal(r.body)
	}
}

func TestAPI_AllTenantsIsIgnoredByCinderAndRefusedByNovaForTenants(t *testing.T) {
	l := newBench(t)
	l.attached(1)
	l.cloud.AddVolume(l.other, "theirs", 1)
	if n := len(l.tenant.get("/volume/v3/{p}/volumes/detail?all_tenants=1").want(200).list("volumes")); n != 1 {
		t.Fatal(n)
	}
	l.tenant.at("3.70").get(backupsPath + "/detail?all_tenants=1").want(200)
	l.tenant.get("/compute/v2.1/servers/detail?all_tenants=1").wantBody(403,
		`{"forbidden": {"code": 403, "message": "Policy doesn't allow os_compute_api:servers:detail:get_all_tenants to be performed."}}`)
}

func TestAPI_NovaHasNoMetadataFilterAndTwoNamesForTheProject(t *testing.T) {
	l := newBench(t)
	s := l.cloud.AddServer(l.acme, "web-1", map[string]string{"a": "b"})
	l.cloud.AddServer(l.other, "db-1", nil)
	l.cloud.SetTags(s, "nightly")
	l.foreign.get("/compute/v2.1/servers/detail?all_tenants=1&metadata=%7B%7D").wantBody(400,
		`{"badRequest": {"code": 400, "message": "Invalid filter field: metadata."}}`)
	count := func(c client, query string) int {
		return len(c.get("/compute/v2.1/servers/detail?" + query).want(200).list("servers"))
	}
	if count(l.tenant, "metadata=x") != 1 {
		t.Fatal("a tenant's metadata filter must be ignored")
	}
	for query, want := range map[string]int{
		"all_tenants=1": 2, "all_tenants=1&project_id=" + l.acme: 1, "all_tenants=1&tenant_id=" + l.other: 1, "all_tenants=1&bogus=1": 2,
		"all_tenants=1&name=web": 1, "all_tenants=1&status=active": 2, "all_tenants=1&status=ERROR": 0, "project_id=" + l.acme: 0, "all_tenants=1&tags=nightly": 2,
	} {
		if got := count(l.foreign, query); got != want {
			t.Fatalf("%s: %d, want %d", query, got, want)
		}
	}
	if n := count(l.foreign.compute("2.60"), "all_tenants=1&tags=nightly"); n != 1 {
		t.Fatal("want one server with this tag: ", n)
	}
	l.foreign.compute("2.75").get("/compute/v2.1/servers/detail?bogus=1").wantBody(400,
		`{"badRequest": {"code": 400, "message": "'bogus' does not match any of the regexes: '^_'"}}`)
	l.foreign.get("/compute/v2.1/servers/detail?sort_key=bogus").want(400)
}

func TestAPI_SortKeys(t *testing.T) {
	l := newBench(t)
	invalid := `{"badRequest": {"code": 400, "message": "Invalid input received: Invalid sort key"}}`
	l.staffeln.get(backupsPath+"?sort=bogus:asc").wantBody(400, invalid)
	l.staffeln.get(backupsPath+"?sort=name:asc").wantBody(400, invalid) // before 3.37
	l.staffeln.at("3.37").get(backupsPath + "?sort=name:asc").want(200)
	l.staffeln.get(backupsPath + "?sort_key=status&sort_dir=desc").want(200)
	l.staffeln.get("/volume/v3/{p}/volumes?sort=name:bogus").wantBody(400,
		`{"badRequest": {"code": 400, "message": "Invalid input received: Unknown sort direction, must be 'desc' or 'asc'."}}`)
}

func TestAPI_FiltersOfVolumes(t *testing.T) {
	l := newBench(t)
	l.attached(1, VolumeOptions{Metadata: map[string]string{"k": "v"}})
	l.clock.step(40 * time.Minute)
	l.cloud.AddVolume(l.other, "loose", 2)
	for query, want := range map[string]int{
		"": 2, "status=in-use": 1, "project_id=" + l.other: 1, "metadata=%7B%27k%27%3A%27v%27%7D": 1, "metadata=%7B%27k%27%3A%27w%27%7D": 0,
		"created_at=gt:2026-11-22T07:00:00": 1, "name=loose": 1, "size=2": 1,
	} {
		if got := len(l.foreign.get("/volume/v3/{p}/volumes/detail?all_tenants=1&" + query).want(200).list("volumes")); got != want {
			t.Fatalf("%s: %d, want %d", query, got, want)
		}
	}
	if r := l.foreign.at("3.45").get("/volume/v3/{p}/volumes?all_tenants=1&with_count=true&limit=1").want(200); r.at("count") != 2.0 {
		t.Fatal(r.body)
	}
}
