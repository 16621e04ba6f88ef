package cloudsim

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var serverOrders = func() map[string]func(a, b *server) int {
	by := map[string]func(a, b *server) int{
		"id":           byString(func(s *server) string { return s.ID }),
		"display_name": byString(func(s *server) string { return s.Name }),
		"project_id":   byString(func(s *server) string { return s.Project }),
		"vm_state":     byString(func(s *server) string { return s.Status }),
		"created_at":   byTime(func(s *server) time.Time { return s.Created }),
		"updated_at":   byTime(func(s *server) time.Time { return s.Updated }),
	}
	by["uuid"] = by["id"]
	return by
}()

// novaKeys are the sort keys that Nova lists when it refuses another one.
const novaKeys = "['access_ip_v4', 'access_ip_v6', 'auto_disk_config', 'availability_zone', 'config_drive', 'created_at', 'display_description', " +
	"'display_name', 'host', 'hostname', 'image_ref', 'instance_type_id', 'kernel_id', 'key_name', 'launch_index', 'launched_at', 'locked_by', 'node', " +
	"'power_state', 'progress', 'project_id', 'ramdisk_id', 'root_device_name', 'task_state', 'terminated_at', 'updated_at', 'user_id', 'uuid', 'vm_state', " +
	"'architecture', 'cell_name', 'cleaned', 'default_ephemeral_device', 'default_swap_device', 'deleted', 'deleted_at', 'disable_terminate', 'ephemeral_gb', " +
	"'ephemeral_key_uuid', 'id', 'key_data', 'launched_on', 'locked', 'memory_mb', 'os_type', 'reservation_id', 'root_gb', 'shutdown_terminate', 'user_data', " +
	"'vcpus', 'vm_mode']"

// novaParameters are the allowed query parameters; from 2.75 on any other one is refused, before 2.75 it is ignored.
var novaParameters = strings.Fields("limit marker sort_key sort_dir all_tenants project_id tenant_id user_id name status host uuid image flavor ip ip6 " +
	"tags tags-any not-tags not-tags-any changes-since changes-before deleted soft_deleted metadata system_metadata availability_zone locked vm_state " +
	"task_state power_state display_name hostname node key_name reservation_id created_at launched_at terminated_at config_drive progress description")

func listServers(detail bool) func(*Cloud, *call) response {
	return func(c *Cloud, q *call) response {
		w, a, good := c.serverListing(q, detail)
		if !good {
			return a
		}
		page, _ := w.walk()
		out := map[string]any{}
		if detail {
			views := make([]any, 0, len(page))
			for _, s := range page {
				if s.hiding != notHidden {
					views = append(views, q.partialServer(s))
					continue
				}
				views = append(views, c.viewServer(q, s))
			}
			out["servers"] = views
		} else {
			views := make([]briefView, 0, len(page))
			for _, s := range page {
				views = append(views, briefView{s.ID, s.Name, q.links("servers", s.ID)})
			}
			out["servers"] = views
		}
		if n := len(page); n > 0 && n == w.limit {
			out["servers_links"] = []link{{"next", q.nextLink(page[n-1].ID)}}
		}
		return ok(out)
	}
}

func (c *Cloud) serverListing(q *call, detail bool) (listing[server], response, bool) {
	w := listing[server]{table: c.servers, limit: c.opt.MaxLimit}
	if q.minor >= 75 {
		for _, p := range q.parameters() {
			if !slices.Contains(novaParameters, p) && !strings.HasPrefix(p, "_") {
				return w, badRequest("'" + p + "' does not match any of the regexes: '^_'"), false
			}
		}
	}
	if q.query.Has("limit") {
		n, err := strconv.Atoi(q.last("limit"))
		if err != nil || n < 0 {
			return w, badRequest(fmt.Sprintf("Invalid input for query parameters limit. Value: %s. '%[1]s' does not match '^[0-9]*$'", q.last("limit"))), false
		}
		w.limit = min(n, c.opt.MaxLimit)
	}
	admin := q.admin
	all := isTrue(q.last("all_tenants"))
	switch {
	case q.tok.system && c.newerThanZed(): // Nova's newer defaults: system-scoped tokens see no servers
		if detail {
			return w, notAllowed("os_compute_api:servers:detail"), false
		}
		return w, notAllowed("os_compute_api:servers:index"), false
	case all && !admin:
		rule := "os_compute_api:servers:index:get_all_tenants"
		if detail {
			rule = "os_compute_api:servers:detail:get_all_tenants"
		}
		return w, notAllowed(rule), false
	case admin && q.query.Has("metadata"):
		return w, badRequest("Invalid filter field: metadata."), false
	case !all:
		w.within = nonNil(c.servers.byProject[q.tok.project])
	}
	var a response
	var good bool
	if w.order, a, good = q.serverOrder(); !good {
		return w, a, false
	}
	if q.query.Has("marker") {
		w.marker = c.servers.byID[q.last("marker")]
		if w.marker == nil || !all && w.marker.Project != q.tok.project {
			return w, badRequest("marker [" + q.last("marker") + "] not found"), false
		}
	}
	w.keep = serverFilter(q, admin, all)
	return w, response{}, true
}

func (q *call) serverOrder() (order[server], response, bool) {
	keys, dirs := slices.Clone(q.query["sort_key"]), slices.Clone(q.query["sort_dir"])
	if len(keys) == 0 {
		keys = []string{"created_at"}
	}
	for len(dirs) < len(keys) {
		dirs = append(dirs, "desc")
	}
	o, good := sorting(keys, dirs[:len(keys)], serverOrders, "id", "uuid", "created_at", "project_id")
	if !good {
		bad := keys[slices.IndexFunc(keys, func(k string) bool { return serverOrders[k] == nil })]
		return o, badRequest(fmt.Sprintf("Invalid input for query parameters sort_key. Value: %s. '%[1]s' is not one of %s", bad, novaKeys)), false
	}
	return o, response{}, true
}

// serverFilter returns the test for the filters in the query. Only admins can filter by project, and only together with
// all_tenants; tenant_id is the older name. There is no filter by metadata, but one by tags.
func serverFilter(q *call, admin, all bool) func(*server) bool {
	project := or(q.last("project_id"), q.last("tenant_id"))
	if !admin || !all {
		project = ""
	}
	name, _ := regexp.Compile(regexp.QuoteMeta(q.last("name")))
	if loose, err := regexp.Compile(q.last("name")); err == nil {
		name = loose
	}
	status, tags := q.last("status"), q.last("tags")
	partial, soft := q.showsDownCells(), admin && (isTrue(q.last("deleted")) || isTrue(q.last("soft_deleted")))
	return func(s *server) bool {
		if s.hiding != notHidden && (s.hiding != HiddenPartial || !partial) || s.Status == softDeleted && !soft ||
			admin && isTrue(q.last("deleted")) && s.Status != softDeleted {
			return false
		}
		if project != "" && s.Project != project || q.query.Has("name") && !name.MatchString(s.Name) ||
			status != "" && !strings.EqualFold(s.Status, status) || lacks(q, "uuid", s.ID) {
			return false
		}
		if q.minor < 26 || tags == "" {
			return true
		}
		for tag := range strings.SplitSeq(tags, ",") {
			if !slices.Contains(s.Tags, tag) {
				return false
			}
		}
		return true
	}
}
