package office

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// ask asks Cinder for something with a token of a user in a project, and tells the status of the answer.
func (o *office) ask(user, projectID, method, path, body string) int {
	login := fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":%q,"domain":{"id":"default"},"password":"secret"}}},
		"scope":{"project":{"id":%q}}}}`, user, projectID)
	token := o.send(http.MethodPost, "/identity/v3/auth/tokens", login, nil).Header().Get("X-Subject-Token")
	header := http.Header{"X-Auth-Token": {token}, "OpenStack-API-Version": {"volume 3.70"}}
	return o.send(method, "/volume/v3/"+projectID+path, body, header).Code
}

func (o *office) send(method, path, body string, header http.Header) (out *httptest.ResponseRecorder) {
	r := httptest.NewRequestWithContext(o.ctx, method, "http://cloud.example"+path, bytes.NewReader([]byte(body)))
	maps.Copy(r.Header, header)
	out = httptest.NewRecorder()
	defer func() {
		if value := recover(); value != nil && value != http.ErrAbortHandler { //nolint:errorlint // it is panicked with as it is
			panic(value)
		}
	}()
	o.sim.ServeHTTP(out, r)
	return out
}

// boss is the user of the project that a volume is in.
func (o *office) boss(volume string) (user, projectID string) {
	return "boss-" + o.homes[volume], o.project(o.homes[volume])
}

// ours are our backups of a volume in its project, oldest first.
func (o *office) ours(volume string) []cloudsim.Backup {
	return slices.DeleteFunc(o.sim.BackupsOf(o.volume(volume)), func(b cloudsim.Backup) bool {
		return b.User != o.sim.Cast().Service || b.Project != o.project(o.homes[volume]) || slices.Contains(o.theirs, b.ID)
	})
}

// removes lets the tenant delete the newest backup of ours.
func removes(volume string) deed {
	return once(func(o *office) {
		if of := o.ours(volume); len(of) > 0 {
			user, project := o.boss(volume)
			o.ask(user, project, http.MethodDelete, "/backups/"+of[len(of)-1].ID, "")
		}
	})
}

// renames lets the tenant give all backups of ours another name.
func renames(volume string) deed {
	return once(func(o *office) {
		user, project := o.boss(volume)
		for _, b := range o.ours(volume) {
			o.ask(user, project, http.MethodPut, "/backups/"+b.ID, `{"backup":{"name":"precious","description":"do not touch"}}`)
		}
		o.oracle.Shake(o.volume(volume))
	})
}

// backsUp lets the tenant make a backup of its own, which the next incremental of ours builds on.
func backsUp(volume string) deed { return foreign(volume, false, false) }

// buildsOn lets the tenant make an incremental on a backup of ours.
func buildsOn(volume string) deed { return foreign(volume, true, false) }

// copiesTag lets the tenant make a backup of its own with the tag of ours.
func copiesTag(volume string) deed { return foreign(volume, false, true) }

func foreign(volume string, onOurs, tagged bool) deed {
	return once(func(o *office) {
		user, project := o.boss(volume)
		n := cloudsim.NewBackup{Volume: o.volume(volume), Project: project, User: o.user(user), Name: "mine"}
		if of := o.ours(volume); len(of) > 0 && of[len(of)-1].Status == "available" {
			newest := of[len(of)-1]
			if all := o.sim.BackupsOf(n.Volume); onOurs && all[len(all)-1].ID == newest.ID {
				n.Parent = newest.ID
			}
			if tagged {
				n.Metadata = newest.Metadata
			}
		}
		o.addForeign(n)
	})
}

func (o *office) addForeign(n cloudsim.NewBackup) string {
	id := o.sim.AddBackup(n)
	o.oracle.Foreign(id)
	o.oracle.Shake(n.Volume)
	return id
}

// user finds a tenant by name.
func (o *office) user(name string) string { return o.users[name] }

// rewritesTag lets the tenant write the tag of the newest of ours on the one before.
func rewritesTag(volume string) deed {
	return once(func(o *office) {
		of := o.ours(volume)
		if len(of) < 2 {
			return
		}
		tag := of[len(of)-1].Metadata
		user, project := o.boss(volume)
		o.ask(user, project, http.MethodPut, "/backups/"+of[len(of)-2].ID, fmt.Sprintf(`{"backup":{"metadata":{%q:%q,%q:%q}}}`,
			backup.TagInstallation, tag[backup.TagInstallation], backup.TagRecord, tag[backup.TagRecord]))
		o.oracle.Shake(o.volume(volume))
	})
}

// restores lets the tenant restore the newest backup of ours into a new volume.
func restores(volume string) deed {
	return func(o *office) func() {
		if of := o.ours(volume); len(of) > 0 {
			user, project := o.boss(volume)
			o.ask(user, project, http.MethodPost, "/backups/"+of[len(of)-1].ID+"/restore", `{"restore":{}}`)
		}
		o.oracle.Shake(o.volume(volume))
		return func() { o.oracle.Shake(o.volume(volume)) }
	}
}

// otherInstallation lets the other Staffeln of the cloud, which the same metadata asks for backups, make its own of a
// server's volumes; once as the same service user, too. What it made of them before it removes where Cinder lets it.
func otherInstallation(server string, asUs bool) deed {
	return once(func(o *office) {
		s := o.server(server)
		for _, is := range o.sim.Servers() {
			if is.ID != s {
				continue
			}
			for _, volume := range is.Volumes {
				for _, b := range o.sim.BackupsOf(volume) {
					if slices.Contains(o.theirs, b.ID) && b.User == o.other {
						o.ask("staffeln-b", b.Project, http.MethodDelete, "/backups/"+b.ID, "")
					}
				}
				n := cloudsim.NewBackup{Volume: volume, Project: is.Project, User: o.other, Name: "theirs", Metadata: map[string]string{
					backup.TagInstallation: "another", backup.TagRecord: fmt.Sprintf("record-%d", len(o.theirs)),
				}}
				if asUs {
					n.User = ""
				}
				o.theirs = append(o.theirs, o.addForeign(n))
			}
		}
	})
}

// lostAnswer lets Cinder's answer to the next request for a volume get lost. Where it was not carried out either, a
// tenant who saw the request makes a backup that carries its tag.
func lostAnswer(volume string, carriedOut, copied bool) deed {
	return func(o *office) func() {
		var tag map[string]string
		f := cloudsim.Fault{Route: "POST /volume/v3/{project}/backups", Volume: o.volume(volume), Times: 1, Do: cloudsim.DropAfterEffect{}}
		if !carriedOut {
			f.Do = cloudsim.DropBefore{}
		}
		f.Match = func(r cloudsim.Request) bool { tag = tagIn(string(r.Body)); return true }
		remove := o.sim.AddFault(f)
		o.oracle.Shake(o.volume(volume))
		if copied {
			o.watch = append(o.watch, func() bool {
				if tag == nil {
					return false
				}
				user, project := o.boss(volume)
				o.addForeign(cloudsim.NewBackup{Volume: o.volume(volume), Project: project, User: o.user(user), Name: "mine", Metadata: tag})
				return true
			})
		}
		return func() { remove(); o.oracle.Shake(o.volume(volume)) }
	}
}

// tagIn reads the tag in the body of a request.
func tagIn(body string) map[string]string {
	tag := map[string]string{}
	for _, key := range []string{backup.TagInstallation, backup.TagRecord} {
		_, rest, found := strings.Cut(body, `"`+key+`":"`)
		if !found {
			return nil
		}
		tag[key], _, _ = strings.Cut(rest, `"`)
	}
	return tag
}
