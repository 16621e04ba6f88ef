package cloudsim

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// newTruncating makes a cloud whose Keystone truncates its lists at five, with nine projects, nine users and seven domains.
func newTruncating(t *testing.T, release string) *bench {
	t.Helper()
	l := newBench(t, of(release), func(o *Options) { o.KeystoneMaxLimit = 5 })
	for n := range 6 {
		l.cloud.AddProject(fmt.Sprint("p", n))
		l.cloud.AddUser(fmt.Sprint("u", n), "x", "")
		l.cloud.AddDomain(fmt.Sprint("d", n))
	}
	return l
}

var totals = map[string]int{"projects": 9, "users": 9, "domains": 7}

func TestAPI_KeystoneOfZedIgnoresLimitAndMarker(t *testing.T) {
	l := newTruncating(t, Zed)
	for name, want := range totals {
		if r := l.foreign.get("/identity/v3/" + name + "?limit=2&marker=nobody").want(200); len(r.list(name)) != want || r.at("links.next") != nil {
			t.Fatal(r.body)
		}
	}
}

func TestAPI_NewerKeystoneSilentlyTruncatesLists(t *testing.T) {
	for _, release := range []string{Epoxy, Gazpacho} {
		l := newTruncating(t, release)
		for name := range totals {
			for _, query := range []string{"", "?enabled=true", "?enabled=true&x=y"} {
				r := l.foreign.get("/identity/v3/" + name + query).want(200)
				if len(r.list(name)) != 5 || r.at("truncated") != nil || r.at("links.next") != nil {
					t.Fatal(r.body)
				}
			}
		}
		if r := l.foreign.get("/identity/v3/role_assignments").want(200); len(r.list("role_assignments")) != 4 {
			t.Fatal(r.body)
		}
	}
}

func TestAPI_NewerKeystoneHasPagesIfALimitIsGiven(t *testing.T) {
	l := newTruncating(t, Epoxy)
	for name, want := range totals {
		for limit, most := range map[int]int{2: 2, 4: 4, 100: 5} {
			seen, next := map[string]bool{}, fmt.Sprintf("/identity/v3/%s?limit=%d", name, limit)
			for next != "" {
				r := l.foreign.get(next).want(200)
				page := r.list(name)
				if len(page) > most {
					t.Fatalf("%d in a page of %d", len(page), most)
				}
				for n := range page {
					seen[r.text(fmt.Sprintf("%s.%d.id", name, n))] = true
				}
				next = strings.TrimPrefix(r.text("links.next"), l.url)
				if u, err := url.Parse(next); next != "" && (err != nil || !u.Query().Has("marker") || r.at("truncated") != true) {
					t.Fatal(r.body)
				}
			}
			if len(seen) != want {
				t.Fatalf("%s in pages of %d: %d, want %d", name, limit, len(seen), want)
			}
		}
	}
	if r := l.foreign.get("/identity/v3/users?marker=nobody").want(404); r.text("error.message") != "Marker nobody could not be found." {
		t.Fatal(r.body)
	}
	last := l.foreign.get("/identity/v3/users?limit=5").want(200).text("users.4.id")
	if r := l.foreign.get("/identity/v3/users?marker=" + last).want(200); len(r.list("users")) != 4 || r.at("links.next") != nil {
		t.Fatal("a marker must work without a limit: " + r.body)
	}
}
