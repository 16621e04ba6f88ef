package cloudsim

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strconv"
)

func secretRoutes() []route {
	r := func(path string, handle func(*Cloud, *call) response) route {
		return route{service: keyManager, method: http.MethodGet, template: "/" + Barbican + "/v1" + path, handle: handle}
	}
	return []route{r("/secrets", listSecrets), r("/secrets/{secret}", showSecret)}
}

// barbicansEndpoints returns Barbican's endpoints. A cloud that never had a secret has no Barbican.
func (c *Cloud) barbicansEndpoints(base string) []string {
	if !c.keyManager {
		return nil
	}
	return c.endpointsOf(base, Barbican)
}

// barbicanFault is an error of Barbican, byte for byte as its Python writes it.
func barbicanFault(status int, description string) response {
	return response{status: status, raw: `{"code": ` + strconv.Itoa(status) + `, "title": ` + quote(http.StatusText(status)) + `, "description": ` + quote(description) + `}`}
}

func barbicanForbids(operation string) response {
	return barbicanFault(http.StatusForbidden, operation+" attempt not allowed - please review your user/project privileges")
}

type secretView struct {
	Ref    string `json:"secret_ref"`
	Name   string `json:"name"`
	Status string `json:"status"`
	Type   string `json:"secret_type"`
}

func (q *call) secretView(s *secret) secretView {
	return secretView{q.base + "/" + Barbican + "/v1/secrets/" + s.ID, "", "ACTIVE", "symmetric"}
}

const (
	secretsMax     = 100 // Barbican's max_limit_paging
	secretsDefault = 10  // Barbican's default_limit_paging
)

// listSecrets handles GET /secrets: the secrets of the token's project.
func listSecrets(c *Cloud, q *call) response {
	switch {
	case !c.keyManagerUp:
		return movedResponse(http.StatusServiceUnavailable)
	case !c.mayUseSecrets(q.tok, q.tok.project):
		return barbicanForbids("Secret(s) retrieval")
	}
	var of []*secret
	for _, s := range c.secrets {
		if s.project == q.tok.project {
			of = append(of, s)
		}
	}
	slices.SortFunc(of, func(a, b *secret) int { return cmp.Compare(a.ID, b.ID) })
	limit, _ := strconv.Atoi(q.last("limit")) // an invalid limit counts as the default
	if limit <= 0 {
		limit = secretsDefault
	}
	offset, _ := strconv.Atoi(q.last("offset"))
	limit, offset = min(limit, secretsMax), min(max(offset, 0), len(of))
	page := of[offset:min(offset+limit, len(of))]
	views := make([]secretView, 0, len(page))
	for _, s := range page {
		views = append(views, q.secretView(s))
	}
	body := map[string]any{"secrets": views, "total": len(of)}
	link := func(at int) string {
		return q.base + q.path + "?limit=" + strconv.Itoa(limit) + "&offset=" + strconv.Itoa(at)
	}
	if len(page) > 0 && offset > 0 {
		body["previous"] = link(max(offset-limit, 0))
	}
	if len(page) > 0 && len(of) > offset+limit {
		body["next"] = link(offset + limit)
	}
	return ok(body)
}

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// showSecret queries the secret before it checks the permission: every valid token can find out that a secret does not exist.
func showSecret(c *Cloud, q *call) response {
	s := c.secrets[q.vars["secret"]]
	switch {
	case !c.keyManagerUp:
		return movedResponse(http.StatusServiceUnavailable)
	case !uuidForm.MatchString(q.vars["secret"]):
		return barbicanFault(http.StatusNotFound, "Not Found. Provided secret id is invalid.")
	case s == nil:
		return barbicanFault(http.StatusNotFound, "Secret not found.")
	case !c.mayUseSecrets(q.tok, s.project) && (!c.since(Gazpacho) || !q.admin):
		return barbicanForbids("Secret retrieval")
	}
	return ok(q.secretView(s))
}
