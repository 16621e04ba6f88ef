package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// pythonCloud is a simulated cloud that holds what the Python program's tables named `chains` say: three cycles of 24 volumes,
// and 24 fulls of the fourth that Cinder is still making.
type pythonCloud struct {
	*environment

	servers, volumes []string
	backups          []string // in the order of the file with the cloud's backups
	files            map[string]string
}

func newPythonCloud(t *testing.T) *pythonCloud {
	t.Helper()
	p := &pythonCloud{environment: daily(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject, set.MaxForcedFulls = 0, 0, 0
		o.DeleteTime = cloudsim.Fixed(0)
	}), files: map[string]string{}}
	ids := map[string]string{} // of the simulated cloud, by those of the files
	for _, one := range p.table("chains.queue_data.tsv")[:24] {
		if project := one["project_id"]; ids[project] == "" {
			ids[project] = p.Sim.AddProject(fmt.Sprintf("project-%d", len(ids)))
		}
		if server := one["instance_id"]; ids[server] == "" {
			ids[server] = p.Sim.AddServer(ids[one["project_id"]], one["instance_name"], map[string]string{p.Settings.BackupMetadataKey: "true"})
			p.servers = append(p.servers, ids[server])
		}
		volume := p.Sim.AddVolume(ids[one["project_id"]], "", 1)
		p.Sim.Attach(ids[one["instance_id"]], volume)
		ids[one["volume_id"]], p.volumes = volume, append(p.volumes, volume)
	}
	for n, one := range p.table("chains.cloud.tsv") {
		if n > 0 && n%24 == 0 {
			p.Step(time.Hour)
		}
		if n >= 72 { // those that the tables have in progress
			one["status"] = "creating"
		}
		id := p.Sim.AddBackup(cloudsim.NewBackup{
			Volume: ids[one["volume_id"]], Name: fmt.Sprintf("vm_%s_%d", one["volume_id"], p.Clock.Now().Unix()), Status: one["status"], Parent: ids[one["parent_id"]],
		})
		ids[one["backup_id"]], p.backups = id, append(p.backups, id)
	}
	for _, name := range []string{"backup_data", "queue_data"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "takeover", "testdata", "chains."+name+".tsv"))
		require.NoError(t, err)
		lines := strings.SplitAfter(replaced(string(text), ids), "\n")
		for n := range lines[1:] { // each cycle was an hour after the one before
			if at, rest, more := strings.Cut(lines[n+1], "\t"); more && at != "" && name == "backup_data" {
				lines[n+1] = rig.Noon.Add(time.Duration(n/24)*time.Hour).Format(time.DateTime) + "\t" + rest
			}
		}
		p.write(name, strings.Join(lines, ""))
	}
	return p
}

func replaced(text string, ids map[string]string) string {
	for old, now := range ids {
		text = strings.ReplaceAll(text, old, now)
	}
	return text
}

// table reads one of the files.
func (p *pythonCloud) table(name string) (rows []map[string]string) {
	p.T.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "takeover", "testdata", name))
	require.NoError(p.T, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, line := range lines[1:] {
		one := map[string]string{}
		for i, value := range strings.Split(line, "\t") {
			one[strings.Split(lines[0], "\t")[i]] = value
		}
		rows = append(rows, one)
	}
	return rows
}

func (p *pythonCloud) write(name, text string) {
	p.T.Helper()
	p.files[name] = filepath.Join(p.T.TempDir(), name+".tsv")
	require.NoError(p.T, os.WriteFile(p.files[name], []byte(text), 0o600))
}

func (p *pythonCloud) args(more ...string) []string {
	return append([]string{"import", "--backups", p.files["backup_data"], "--queue", p.files["queue_data"]}, more...)
}

// The chains of the Python program continue: backups in progress are followed, the next backup of each volume is an incremental on
// the imported full, and retention removes all of it leaf first.
func TestImportContinuesChains(t *testing.T) {
	t.Parallel()
	p := newPythonCloud(t)
	out := oneLine(p.runWithInput(1, "no\n", p.args()...))
	require.Contains(t, out, "TO TAKE OVER (96) 72 × restore_point")
	require.Contains(t, out, "24 × in_progress")
	require.Contains(t, out, "Take over 96 backups? [yes/no]")
	require.Contains(t, out, "not confirmed: nothing is written")
	require.Zero(t, p.Count("true"), "shown, not written")
	require.Empty(t, p.lastAudits(1))

	require.Contains(t, oneLine(p.run(0, p.args()...)), "Done. 96 of 96 taken over.")
	require.Equal(t, 72, p.Count("state = 'available'"))
	require.Equal(t, 24, p.Count("state = 'creating'"))
	require.Equal(t, []string{"import: 96 of 96 taken over"}, p.lastAudits(9))
	before := p.Records("true")
	out = oneLine(p.run(0, p.args()...))
	require.Contains(t, out, "96 × known")
	require.Contains(t, out, "Nothing is written: there is nothing to take over.")
	require.Equal(t, before, p.Records("true"), "a repeated import changes nothing")

	p.RunDue()
	p.Reconcile()
	require.Equal(t, before, p.Records("true"), "nothing is due, foreign, lost or planned")
	for _, id := range p.backups[72:] {
		p.Sim.SetBackupStatus(id, "available")
	}
	p.Step(time.Minute)
	p.Dispatch()
	require.Equal(t, 96, p.Count("state = 'available'"))
	p.Advance(day+2*time.Hour, 30*time.Minute)
	for _, v := range p.volumes {
		require.Equal(t, "FIIFI", p.Kinds(v))
		require.Equal(t, p.Sim.BackupsOf(v)[3].ID, p.Sim.BackupsOf(v)[4].Parent)
	}
	require.Zero(t, p.Count("forced_full OR reason <> ''"))
	require.Empty(t, p.events(cloudsim.BackupDeletion, ""), "their ages are Cinder's, and within the retention")

	for _, s := range p.servers {
		p.Sim.DeleteServer(s)
	}
	p.Plan()
	p.run(0, "confirm-lost") // so many at once
	p.Advance(17*day, 6*time.Hour)
	p.Advance(2*day, time.Hour) // a link of each chain after the other
	require.Equal(t, 24*5, p.Count("state = 'deleted'"))
	require.Empty(t, p.Sim.Backups())
	require.Len(t, p.requireLeafFirst(p.volumes[0]), 5)
}

// What cannot be taken over is listed with its reason, and the rest is taken over.
func TestImportReportsWhatItLeaves(t *testing.T) {
	t.Parallel()
	p := newPythonCloud(t)
	alice := p.Sim.AddUser("alice", "alice", "")
	p.Sim.RemoveBackup(p.backups[71]) // the leaf of the last volume's chain
	p.Sim.RemoveBackup(p.backups[0])  // the full beneath two incrementals
	p.Sim.FailBackup(p.backups[70], "the store is full")
	p.Sim.FailBackup(p.backups[69], "reset by an administrator") // a restore point before
	unnamed := p.Sim.AddBackup(cloudsim.NewBackup{Volume: p.volumes[3], Name: "vm_data_1772366400"})
	p.Sim.AddBackup(cloudsim.NewBackup{Volume: p.volumes[4], User: alice, Name: "mine"})
	p.Sim.DeleteServer(p.servers[2])
	p.Sim.DeleteVolume(p.volumes[4])
	text, err := os.ReadFile(p.files["backup_data"])
	require.NoError(t, err)
	failed := regexp.MustCompile(`(?m)^(.*`+p.backups[70]+`.*\t)1(\t\d)$`).ReplaceAllString(string(text), "${1}0${2}")
	require.NotEqual(t, string(text), failed)
	p.write("backup_data", failed+"(72 rows)\n")

	var page struct {
		Written    int
		Taken      []struct{ Outcome, BackupID string }
		Left       []map[string]any
		Unreadable []map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(p.runWithInput(0, "", p.args("--json")...)), &page))
	require.Zero(t, page.Written)
	require.Zero(t, p.Count("true"))
	raw := p.run(0, p.args("--json")...)
	require.NoError(t, json.Unmarshal([]byte(raw), &page))
	require.Equal(t, 95, page.Written)
	outcomes := map[string]int{}
	for _, one := range page.Taken {
		outcomes[one.Outcome]++
	}
	require.Equal(t, map[string]int{"restore_point": 68, "in_progress": 24, "in_error": 1, "leftover": 1, "missing_link": 1}, outcomes)
	require.Len(t, page.Left, 2)
	require.True(t, slices.ContainsFunc(page.Left, func(one map[string]any) bool { return one["outcome"] == "unnamed" && one["backup_id"] == unnamed }))
	require.True(t, slices.ContainsFunc(page.Left, func(one map[string]any) bool { return one["outcome"] == "deleted" && one["backup_id"] == p.backups[71] }))
	require.Len(t, page.Unreadable, 1)
	require.InDelta(t, 74, page.Unreadable[0]["line"], 0)
	var all map[string]any
	require.NoError(t, json.Unmarshal([]byte(raw), &all))
	rig.RequireDocumented(t, p.terminal(0, "import", "--help"), all)

	require.Equal(t, 1, p.Count("state = 'lost' AND backup_id = $1", p.backups[0]))
	require.Equal(t, 1, p.Count("state = 'failed' AND backup_id = $1 AND reason_text = 'the store is full'", p.backups[70]))
	require.Equal(t, 4, p.Count("volume_id = $1 AND state IN ('available', 'creating')", p.volumes[4]))
	out := oneLine(p.run(0, p.args()...))
	require.Contains(t, out, "UNNAMED (1)")
	require.Contains(t, out, "DELETED (1)")
	require.Contains(t, out, "UNREADABLE LINES (1)")
	require.Contains(t, out, ":74: 1 columns, and the header has 9")
	p.RunDue()
	p.Dispatch()
	require.Zero(t, p.Count("state = 'failed'"), "the leftover is removed")
	require.Equal(t, 1, p.Count("state = 'available' AND cinder_status = 'error' AND backup_id = $1", p.backups[69]), "no leftover: the operator decides")
}

// A killed import has written all of it or nothing, and is repeated.
func TestImportKilled(t *testing.T) {
	t.Parallel()
	p := newPythonCloud(t)
	lock, err := p.Pool.Begin(p.Ctx)
	require.NoError(t, err)
	_, err = lock.Exec(p.Ctx, `LOCK TABLE records IN SHARE MODE`)
	require.NoError(t, err)
	running := p.startCommand("", p.args("--yes")...)
	p.eventually("the import waits for the table", func() bool {
		var waiting bool
		require.NoError(t, p.Pool.QueryRow(p.Ctx, `SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
			WHERE d.datname = current_database() AND NOT l.granted AND l.relation = 'records'::regclass)`).Scan(&waiting))
		return waiting
	})
	require.NoError(t, running.cmd.Process.Signal(syscall.SIGKILL))
	_, _ = running.wait()
	require.NoError(t, lock.Rollback(p.Ctx))
	p.eventually("Postgres has ended the killed session", func() bool {
		var open bool
		require.NoError(t, p.Pool.QueryRow(p.Ctx, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%INSERT INTO records%' AND pid <> pg_backend_pid())`).Scan(&open))
		return !open
	})
	require.Zero(t, p.Count("true"))
	require.Equal(t, []string{"import: "}, p.lastAudits(1), "how far it got is not known")
	require.Contains(t, oneLine(p.run(0, p.args()...)), "Done. 96 of 96 taken over.")
	require.Equal(t, 96, p.Count("true"))
}

// Ten thousand rows cost the pages of the listings, and one request for each backup that Cinder no longer has.
func TestImportOfTenThousandRowsReadsPages(t *testing.T) {
	t.Parallel()
	w := daily(t)
	acme := w.Sim.AddProject("acme")
	_, volumes := w.Protect(acme, "web-1", 10)
	var rows strings.Builder
	rows.WriteString("created_at,backup_id,project_id,volume_id,instance_id,backup_completed\n")
	for n := range 10_000 {
		id := w.Sim.AddBackup(cloudsim.NewBackup{Volume: volumes[n%10], Name: "web-1_data_1772366400"})
		fmt.Fprintf(&rows, ",%s,%s,%s,,1\n", id, acme, volumes[n%10])
		if n < 3 {
			w.Sim.RemoveBackup(id)
		}
	}
	file := filepath.Join(t.TempDir(), "backup_data.csv")
	require.NoError(t, os.WriteFile(file, []byte(rows.String()), 0o600))
	before := w.Sim.Counts()
	out := oneLine(w.run(0, "import", "--backups", file))
	calls := map[string]int{}
	for route, n := range w.Sim.Counts() {
		calls[route] = n - before[route]
	}
	require.Contains(t, out, "Done. 9997 of 9997 taken over.")
	require.Equal(t, 9997, w.Count("state = 'available'"))
	require.Equal(t, 10, calls[rig.ListRoute], "1,000 in a page: %v", calls)
	require.Equal(t, 3, calls[rig.ReadRoute], "%v", calls)
	require.Equal(t, 1, calls["GET /volume/v3/{project}/volumes/detail"], "%v", calls)
	writes := 0
	for route, n := range calls {
		if !strings.HasPrefix(route, "GET ") && !strings.Contains(route, "/auth/tokens") {
			writes += n
		}
	}
	require.Zero(t, writes, "nothing is changed in the cloud: %v", calls)
}
