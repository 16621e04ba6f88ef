package takeover

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	b1, b2 = "92188324-3ae7-437d-a028-e33187b803ea", "aff67ec3-4eb3-4e3f-9239-9553de14e581"
	v1, v2 = "a5888c86-94c8-467f-8c23-44f92ed48ed4", "03de49f3-43f5-4fdf-afad-5baac1735e22"
	s1     = "890edd68-e0cf-4b56-aa91-bc7381657747"
	p1     = "f6c44740145f4e04ac6e69fd505531fb"
)

func text(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return text
}

// The tables that the Python program wrote itself are read completely.
func TestReadTablesOfThePythonProgram(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		table Table
		rows  int
		first Row
	}{
		"chains.backup_data.tsv": {BackupData, 72, Row{Table: BackupData, Line: 2, CreatedAt: time.Date(2026, 11, 22, 7, 31, 30, 0, time.UTC), BackupID: "528ae977-b39c-4d83-9560-79d51cdbb53c", ProjectID: p1, VolumeID: v1, ServerID: s1}},
		"chains.queue_data.tsv":  {QueueData, 72, Row{Table: QueueData, Line: 2, CreatedAt: time.Date(2026, 11, 22, 7, 33, 31, 0, time.UTC), BackupID: b1, ProjectID: p1, VolumeID: v1, ServerID: s1, VolumeName: v1, ServerName: "vm-0001-00003", Status: Completed}},
		"killed.backup_data.tsv": {BackupData, 4, Row{Table: BackupData, Line: 2, CreatedAt: time.Date(2026, 11, 22, 6, 33, 56, 0, time.UTC), BackupID: "0694d8ac-ade7-43c8-98e6-d032e4b0ee4a", ProjectID: p1, VolumeID: "b565cca5-bb0b-4563-ad16-eb46c52174ae", ServerID: "24c3a15c-0de6-4277-a5b7-af6fc80a057b"}},
		"killed.queue_data.tsv":  {QueueData, 1, Row{Table: QueueData, Line: 2, CreatedAt: time.Date(2026, 11, 22, 6, 32, 52, 0, time.UTC), ProjectID: p1, VolumeID: "ddf8f252-c6d7-44e9-96fb-fac3e233d1e9", ServerID: "24c3a15c-0de6-4277-a5b7-af6fc80a057b", VolumeName: "ddf8f252-c6d7-44e9-96fb-fac3e233d1e9", ServerName: "vm-0001-00001", Status: Begun}},
	} {
		plain := text(t, name)
		for form, text := range map[string][]byte{
			"as printed":             plain,
			"with CRLF":              []byte(strings.ReplaceAll(string(plain), "\n", "\r\n")),
			"with a byte order mark": append([]byte("\ufeff"), plain...),
			"with empty lines":       []byte(string(plain) + "\n\r\n\n"),
			"without the last end":   []byte(strings.TrimSuffix(string(plain), "\n")),
		} {
			rows, bad, err := Read(c.table, text)
			require.NoError(t, err, "%s %s", name, form)
			require.Empty(t, bad, "%s %s", name, form)
			require.Len(t, rows, c.rows, "%s %s", name, form)
			require.Equal(t, c.first, rows[0], "%s %s", name, form)
		}
	}
}

// What mariadb --batch, psql --csv and sqlite3 -csv -header print of the same two rows, word for word.
func TestReadFormsOfTheDatabases(t *testing.T) {
	t.Parallel()
	header := "created_at,updated_at,id,backup_id,project_id,volume_id,backup_status,instance_id,volume_name,instance_name,incremental,reason\n"
	ids := func(separator string, words ...string) string { return strings.Join(words, separator) }
	for name, c := range map[string]struct {
		text         string
		lines        [2]int
		name, server string
		at           time.Duration
	}{
		"mariadb": {
			strings.ReplaceAll(header, ",", "\t") + ids("\t", "2026-11-22 07:33:31", "2026-11-22 07:34:32", "25", b1, p1, v1, "2", s1, "NULL", `line\ntwo`, "1", `a\tb\nc\\d`) + "\n" +
				ids("\t", "2026-11-22 07:33:31", "NULL", "26", "NULL", p1, v2, "4", s1, `my\\n "volume"`, "vm", "NULL", `x,"y"`) + "\n",
			[2]int{2, 3},
			"", "line\ntwo", 0,
		},
		"psql": {
			header + ids(",", "2026-11-22 07:33:31.25", "", "25", b1, p1, v1, "2", s1, `"my, ""volume"""`, "\"line\ntwo\"", "t", "") + "\n" +
				ids(",", "2026-11-22 07:33:31.25", "", "26", "NULL", p1, v2, "4", s1, "", "vm", "", "x") + "\n",
			[2]int{2, 4},
			`my, "volume"`, "line\ntwo", 250 * time.Millisecond,
		},
		"sqlite3": {
			header + ids(",", `"2026-11-22 07:33:31.000000"`, "", "25", b1, p1, v1, "2", s1, `"my, ""volume"""`, "\"line\ntwo\"", "1", "") + "\n" +
				ids(",", `"2026-11-22 07:33:31.000000"`, "", "26", "NULL", p1, v2, "4", s1, `""`, "vm", "", "x") + "\n",
			[2]int{2, 4},
			`my, "volume"`, "line\ntwo", 0,
		},
	} {
		rows, bad, err := Read(QueueData, []byte(c.text))
		require.NoError(t, err, name)
		require.Empty(t, bad, name)
		require.Len(t, rows, 2, name)
		at := time.Date(2026, 11, 22, 7, 33, 31, 0, time.UTC).Add(c.at)
		require.Equal(t, Row{Table: QueueData, Line: c.lines[0], CreatedAt: at, BackupID: b1, ProjectID: p1, VolumeID: v1, ServerID: s1, VolumeName: c.name, ServerName: c.server, Status: Completed}, rows[0], name)
		require.Equal(t, c.lines[1], rows[1].Line, name)
		require.Empty(t, rows[1].BackupID, name)
		require.Equal(t, Begun, rows[1].Status, name)
	}
}

// The schema of release 1.0.0 has no incremental, no names and no reason; the order of columns does not matter.
func TestReadSchemaOfEveryRelease(t *testing.T) {
	t.Parallel()
	for _, header := range []string{
		"created_at,updated_at,id,backup_id,project_id,volume_id,instance_id,backup_completed",
		"created_at,updated_at,id,backup_id,project_id,volume_id,instance_id,backup_completed,incremental",
		`"ID","Incremental","Backup_Completed","INSTANCE_ID","volume_id","project_id","backup_id","updated_at","created_at","a column of a later release"`,
	} {
		values := map[string]string{
			"created_at": "2022-11-22 07:31:30", "id": "1", "backup_id": b1, "project_id": p1, "volume_id": v1, "instance_id": s1, "backup_completed": "0", "incremental": "",
		}
		var fields []string
		for name := range strings.SplitSeq(header, ",") {
			fields = append(fields, values[strings.ToLower(strings.Trim(name, `"`))])
		}
		rows, bad, err := Read(BackupData, []byte(header+"\n"+strings.Join(fields, ",")+"\n"))
		require.NoError(t, err, header)
		require.Empty(t, bad, header)
		require.Equal(t, []Row{{Table: BackupData, Line: 2, CreatedAt: time.Date(2022, 11, 22, 7, 31, 30, 0, time.UTC), BackupID: b1, ProjectID: p1, VolumeID: v1, ServerID: s1, Failed: true}}, rows, header)
	}
	rows, bad, err := Read(QueueData, []byte("created_at\tupdated_at\tid\tbackup_id\tproject_id\tvolume_id\tbackup_status\tinstance_id\n"+strings.Join([]string{"NULL", "NULL", "1", b1, p1, v1, "1", s1}, "\t")+"\n"))
	require.NoError(t, err)
	require.Empty(t, bad)
	require.Equal(t, []Row{{Table: QueueData, Line: 2, BackupID: b1, ProjectID: p1, VolumeID: v1, ServerID: s1, Status: InProgress}}, rows)
}

// A bad row is named by its line, and does not hide the others.
func TestReadNamesBadRows(t *testing.T) {
	t.Parallel()
	good := func(changes ...string) string {
		fields := []string{"2026-11-22 07:31:30", "NULL", "1", b1, p1, v1, s1, "1", "0"}
		for i := 0; i+1 < len(changes); i += 2 {
			fields[strings.Index("cuibpvsdn", changes[i])] = changes[i+1]
		}
		return strings.Join(fields, "\t")
	}
	header := "created_at\tupdated_at\tid\tbackup_id\tproject_id\tvolume_id\tinstance_id\tbackup_completed\tincremental"
	for wrong, want := range map[string]string{
		good() + "\tmore":          "10 columns, and the header has 9",
		"(72 rows)":                "1 columns, and the header has 9",
		good("b", "NULL"):          `backup_id is "": want the ID of a backup`,
		good("b", "../volumes"):    `backup_id is "../volumes": want the ID of a backup`,
		good("v", "NULL"):          `volume_id is "": want the ID of a volume`,
		good("p", "NULL"):          `project_id is "": want the ID of a project`,
		good("p", "a b"):           `project_id is "a b": want the ID of a project`,
		good("c", "yesterday"):     `created_at is "yesterday": want a time such as 2026-11-22 07:31:30`,
		good("d", "NULL"):          `backup_completed is "": want 0 or 1`,
		good("d", "2"):             `backup_completed is "2": want 0 or 1`,
		good("n", "incremental"):   `incremental is "incremental": want 0 or 1`,
		good("b", b1[:35]+`\n`):    `backup_id is "` + b1[:35] + `": want the ID of a backup`,
		strings.Repeat("x\t", 8):   `backup_id is "x": want the ID of a backup`,
		good("b", "\x1b[31mred"):   `backup_id is "\x1b[31mred": want the ID of a backup`,
		good("b", "'; DROP TABLE"): `backup_id is "'; DROP TABLE": want the ID of a backup`,
	} {
		rows, bad, err := Read(BackupData, []byte(header+"\n"+good()+"\n"+wrong+"\n"+good("b", b2)+"\n"))
		require.NoError(t, err, wrong)
		require.Len(t, rows, 2, wrong)
		require.Equal(t, []string{b1, b2}, []string{rows[0].BackupID, rows[1].BackupID}, wrong)
		require.Equal(t, []Unreadable{{3, want}}, bad, wrong)
	}
	quoted := "created_at,backup_id,project_id,volume_id,instance_id,backup_status\n" +
		strings.Join([]string{"", b1, p1, v1, s1, "9"}, ",") + "\n" + strings.Join([]string{"", `a"b`, p1, v1, s1, "1"}, ",") + "\n" + strings.Join([]string{"", b2, p1, v1, s1, "0"}, ",") + "\n"
	rows, bad, err := Read(QueueData, []byte(quoted))
	require.NoError(t, err)
	require.Equal(t, []Unreadable{{2, `backup_status is "9": want 0 to 4`}, {3, `bare " in non-quoted-field`}}, bad)
	require.Len(t, rows, 1)
	require.Equal(t, b2, rows[0].BackupID)
}

// What is not the table at all is refused as a whole.
func TestReadRefusesOtherFiles(t *testing.T) {
	t.Parallel()
	backups := "created_at,backup_id,project_id,volume_id,instance_id,backup_completed\n"
	for text, want := range map[string]string{
		"":                                 "its first line is no header",
		"\n\n":                             "its first line is no header",
		"backup_id\n" + b1:                 "its first line is no header",
		" created_at | backup_id \n------": "its first line is no header",
		`"backup_id","x` + "\n":            "its first line is no header",
		strings.Join([]string{"2026-11-22 07:31:30", "NULL", "1", b1, p1, v1, s1, "1", "0"}, "\t"): "its header lacks the columns created_at, backup_id, project_id, volume_id, instance_id, backup_completed of backup_data",
		"id,created_at,updated_at,sender\n":                                                     "its header lacks the columns backup_id, project_id",
		"backup_id,project_id,volume_id\n":                                                      "its header lacks the columns created_at, instance_id, backup_completed of backup_data",
		strings.Replace(backups, "backup_completed", "backup_status", 1):                        "this is the table queue_data: want backup_data",
		strings.Replace(backups, "instance_id", "instance_id,backup_id", 1):                     "its header has the column backup_id twice",
		"CREATE TABLE `backup_data` (\n  `created_at` datetime DEFAULT NULL,\n  `id` int(11)\n": "its first line is no header",
		"{\"created_at\": null, \"backup_id\": null}\n":                                         "its first line is no header",
		"<html><body>404, not found</body></html>\n":                                            "its header lacks the columns",
	} {
		_, _, err := Read(BackupData, []byte(text))
		require.ErrorContains(t, err, want, text)
	}
	rows, bad, err := Read(BackupData, []byte(backups))
	require.NoError(t, err, "an empty table")
	require.Empty(t, rows)
	require.Empty(t, bad)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("backup_id\tproject_id\n\\\\\\t\"\x00"))
	f.Add([]byte("created_at,backup_id,project_id,volume_id,instance_id,backup_completed\n\"\n,,,,,\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for table := range columns {
			rows, bad, err := Read(table, text)
			if err != nil {
				require.Empty(t, rows)
				require.Empty(t, bad)
			}
			for _, r := range rows {
				require.Regexp(t, wholeID, r.VolumeID)
				require.Positive(t, r.Line)
			}
		}
	})
}
