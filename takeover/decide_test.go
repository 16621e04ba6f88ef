package takeover

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func inCinder(id string, hours int, change func(*backup.Backup)) backup.Backup {
	at := noon.Add(time.Duration(hours) * time.Hour)
	b := backup.Backup{ID: id, Name: "web_data_1772366400", ProjectID: p1, VolumeID: v1, UserID: "python", Status: backup.StatusAvailable, SizeGiB: 5, CreatedAt: at, DataTimestamp: at}
	if change != nil {
		change(&b)
	}
	return b
}

func status(s backup.Status) func(*backup.Backup) { return func(b *backup.Backup) { b.Status = s } }

var row = Row{Table: BackupData, Line: 2, CreatedAt: noon, BackupID: b1, ProjectID: p1, VolumeID: v1}

// One row with each thing that Cinder and the records may have about it.
func TestDecideOneRow(t *testing.T) {
	t.Parallel()
	queued := func(s QueueStatus, id string) Row {
		r := row
		r.Table, r.Status, r.BackupID = QueueData, s, id
		return r
	}
	failed := row
	failed.Failed = true
	set := func(id string) map[string]bool { return map[string]bool{id: true} }
	for name, c := range map[string]struct {
		row   Row
		facts CloudFacts
		b     *backup.Backup
		want  RowOutcome
	}{
		"available":                    {row, CloudFacts{}, new(inCinder(b1, 0, nil)), RestorePoint},
		"being restored":               {row, CloudFacts{}, new(inCinder(b1, 0, status("restoring"))), RestorePoint},
		"cancelled, and available":     {failed, CloudFacts{}, new(inCinder(b1, 0, nil)), RestorePoint},
		"stuck with an ID":             {queued(Begun, b1), CloudFacts{}, new(inCinder(b1, 0, nil)), RestorePoint},
		"creating":                     {queued(InProgress, b1), CloudFacts{}, new(inCinder(b1, 0, status("creating"))), StillMade},
		"creating in backup_data":      {failed, CloudFacts{}, new(inCinder(b1, 0, status("creating"))), StillMade},
		"creating while another is":    {queued(InProgress, b1), CloudFacts{InProgress: set(v1)}, new(inCinder(b1, 0, status("creating"))), OtherProgress},
		"available while another is":   {row, CloudFacts{InProgress: set(v1)}, new(inCinder(b1, 0, nil)), RestorePoint},
		"error of a restore point":     {row, CloudFacts{}, new(inCinder(b1, 0, status("error"))), InError},
		"error of a stuck one":         {queued(Begun, b1), CloudFacts{}, new(inCinder(b1, 0, status("error"))), Leftover},
		"error of a failed one":        {failed, CloudFacts{}, new(inCinder(b1, 0, status("error"))), Leftover},
		"error while deleted":          {row, CloudFacts{}, new(inCinder(b1, 0, status("error_deleting"))), Leftover},
		"deleting":                     {row, CloudFacts{}, new(inCinder(b1, 0, status("deleting"))), BeingDeleted},
		"a status of the future":       {row, CloudFacts{}, new(inCinder(b1, 0, status("frozen"))), UnknownStatus},
		"gone":                         {row, CloudFacts{Gone: set(b1)}, nil, Deleted},
		"no response":                  {row, CloudFacts{}, nil, NotChecked},
		"known":                        {row, CloudFacts{Known: set(b1)}, new(inCinder(b1, 0, nil)), Known},
		"known and gone":               {row, CloudFacts{Known: set(b1), Gone: set(b1)}, nil, Known},
		"of another volume":            {row, CloudFacts{}, new(inCinder(b1, 0, func(b *backup.Backup) { b.VolumeID = v2 })), OtherVolume},
		"of another project":           {row, CloudFacts{}, new(inCinder(b1, 0, func(b *backup.Backup) { b.ProjectID = "other" })), OtherProject},
		"of another installation":      {row, CloudFacts{Installation: "us"}, new(inCinder(b1, 0, func(b *backup.Backup) { b.Metadata = backup.Tag{Installation: "them", Record: "r"}.Metadata() })), OtherTag},
		"with our tag, without record": {row, CloudFacts{Installation: "us"}, new(inCinder(b1, 0, func(b *backup.Backup) { b.Metadata = backup.Tag{Installation: "us", Record: "r"}.Metadata() })), RestorePoint},
		"its server does not respond":  {row, CloudFacts{Unknown: set(v1)}, new(inCinder(b1, 0, nil)), NotChecked},
		"planned":                      {queued(Planned, ""), CloudFacts{}, nil, NotBegun},
		"failed before it began":       {queued(Failed, ""), CloudFacts{}, nil, NotBegun},
		"begun and not saved":          {queued(Begun, ""), CloudFacts{}, nil, NotSaved},
	} {
		if c.b != nil {
			c.facts.Backups = map[string]backup.Backup{c.b.ID: *c.b}
		}
		decisions := Decide([]Row{c.row}, c.facts)
		require.Len(t, decisions, 1, name)
		require.Equal(t, c.want, decisions[0].Outcome, name)
	}
}

// Each outcome is in the list, has a sentence of its own, and is either taken over or left.
func TestOutcomesHaveSentences(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	taken := 0
	for _, o := range Outcomes {
		require.NotContains(t, o.Sentence(), "outcome", o)
		require.False(t, seen[o.Sentence()], o)
		seen[o.Sentence()] = true
		if o.Taken() {
			taken++
		}
	}
	require.Len(t, Outcomes, 17)
	require.Equal(t, 5, taken)
	require.Equal(t, `outcome "x"`, RowOutcome("x").Sentence())
	require.False(t, RowOutcome("x").Taken())
}

// A row of both tables is decided once, and of two backups that Cinder is making of one volume the first one is followed.
func TestDecideSeveralRowsOfOneVolume(t *testing.T) {
	t.Parallel()
	again, second := row, row
	again.Table, again.Status = QueueData, Completed
	second.BackupID, second.Table, second.Status = b2, QueueData, InProgress
	f := CloudFacts{Backups: map[string]backup.Backup{b1: inCinder(b1, 0, status("creating")), b2: inCinder(b2, 1, status("creating"))}}
	decisions := Decide([]Row{again, second, row}, f)
	require.Len(t, decisions, 2)
	require.Equal(t, []RowOutcome{StillMade, OtherProgress}, []RowOutcome{decisions[0].Outcome, decisions[1].Outcome})
	require.Equal(t, BackupData, decisions[0].Row.Table)
}

// What was deleted below an incremental that Cinder still has gets a record: the notation has F and I for what Cinder has, lower
// case for what it no longer has.
func TestDecideMissingLinks(t *testing.T) {
	t.Parallel()
	for chain, want := range map[string]string{
		"FII": "...", "fII": "L..", "FiI": ".L.", "FIi": "..d", "fii": "ddd", "fiI": "LL.", "fIF": "L..", "fF": "d.", "FIfI": "..L.", "fIfF": "L.d.", "": "",
	} {
		var rows []Row
		f := CloudFacts{Backups: map[string]backup.Backup{}, Gone: map[string]bool{}}
		for n, kind := range chain {
			r := row
			r.BackupID = fmt.Sprintf("%08d%s", n, b1[8:])
			r.CreatedAt = noon.Add(time.Duration(n) * time.Hour)
			rows = append(rows, r)
			if strings.ContainsRune("FI", kind) {
				f.Backups[r.BackupID] = inCinder(r.BackupID, n, func(b *backup.Backup) { b.Incremental = kind == 'I' })
			} else {
				f.Gone[r.BackupID] = true
			}
		}
		var got strings.Builder
		for _, d := range Decide(rows, f) {
			got.WriteString(map[RowOutcome]string{RestorePoint: ".", MissingLink: "L", Deleted: "d"}[d.Outcome])
		}
		require.Equal(t, want, got.String(), chain)
	}
}

// A backup that the Python program made and did not save is listed: by its volume, its name and the user that made the others.
func TestDecideUnnamedBackups(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*backup.Backup)
		found  bool
	}{
		"theirs":                {nil, true},
		"a name with a newline": {func(b *backup.Backup) { b.Name = "web\n_1_data_1772366400" }, true},
		"a tenant's":            {func(b *backup.Backup) { b.UserID = "alice" }, false},
		"another name":          {func(b *backup.Backup) { b.Name = "before the upgrade" }, false},
		"with a tag":            {func(b *backup.Backup) { b.Metadata = backup.Tag{Installation: "i", Record: "r"}.Metadata() }, false},
		"of another volume":     {func(b *backup.Backup) { b.VolumeID = v2 }, false},
	} {
		f := CloudFacts{Backups: map[string]backup.Backup{b1: inCinder(b1, 0, nil), b2: inCinder(b2, 1, c.change)}}
		decisions := Decide([]Row{row}, f)
		if !c.found {
			require.Len(t, decisions, 1, name)
			continue
		}
		require.Len(t, decisions, 2, name)
		require.Equal(t, RowDecision{Outcome: Unnamed, Backup: f.Backups[b2]}, decisions[1], name)
		f.Known = map[string]bool{b2: true}
		require.Len(t, Decide([]Row{row}, f), 1, name)
	}
}

// The record has Cinder's times, whenever the import runs.
func TestRecordHasTimesOfCinder(t *testing.T) {
	t.Parallel()
	set := backup.Settings{BackupServicePeriod: backup.Duration(30 * time.Minute), BackupCycleTimeout: backup.Duration(6 * time.Hour), BackupTimeoutPerGib: backup.Duration(time.Minute)}
	context := Context{Volume: backup.Volume{ID: v1, Name: "data", Zone: "nova"}, ServerName: "web", ProjectName: "acme", Retention: backup.Period{Days: 17}}
	now := noon.AddDate(0, 0, 3)
	made := noon.Add(7*time.Minute + 30*time.Second)
	b := inCinder(b1, 0, func(b *backup.Backup) {
		b.CreatedAt, b.DataTimestamp, b.Incremental = made, made.Add(time.Second), true
	})
	r := RowDecision{RestorePoint, row, b}.Record(now, set, context)
	require.Equal(t, backup.Record{
		ProjectID: p1, ProjectName: "acme", ServerName: "web", VolumeID: v1, VolumeName: "data", Zone: "nova", SizeGiB: 5, State: backup.Available, Kind: backup.Incremental,
		Retention: backup.Period{Days: 17}, PlannedAt: noon, RequestedAt: &made, AvailableAt: new(made.Add(time.Second)), EndedAt: new(made.Add(time.Second)),
		BackupID: b1, BackupName: "web_data_1772366400", CinderStatus: "available", DataTimestamp: new(made.Add(time.Second)), CinderTimestamp: new(made.Add(time.Second)),
	}, r)
	require.False(t, r.ClockWrong())

	b.Status = backup.StatusCreating
	r = RowDecision{StillMade, row, b}.Record(now, set, context)
	require.Equal(t, backup.Creating, r.State)
	require.Equal(t, made.Add(6*time.Hour+5*time.Minute), *r.Deadline, "from its own start")
	require.Nil(t, r.EndedAt)
	require.Nil(t, r.DataTimestamp)

	b.Status, b.FailReason = backup.StatusError, "the store is full"
	r = RowDecision{InError, row, b}.Record(now, set, context)
	link, _ := r.Link(backup.Retention{})
	link.RecordID = "its record"
	_, kept := backup.Expired(now, backup.Constraints{}, []backup.Link{link})
	require.Equal(t, backup.StatusUnknown, kept[0].Reason, "kept until an operator checks it")
	r = RowDecision{Leftover, row, b}.Record(now, set, context)
	require.True(t, r.Leftover())
	require.Equal(t, backup.BackupError, r.Reason)
	require.Equal(t, "the store is full", r.ReasonText)
	require.Equal(t, made, *r.EndedAt)
	require.Nil(t, r.AvailableAt)

	r = RowDecision{Outcome: MissingLink, Row: row}.Record(now, set, context)
	require.Equal(t, backup.Lost, r.State)
	require.Equal(t, noon, *r.DataTimestamp, "the row has it")

	b.Status, b.DataTimestamp = backup.StatusAvailable, now.AddDate(1, 0, 0)
	r = RowDecision{RestorePoint, row, b}.Record(now, set, context)
	require.Equal(t, now, *r.DataTimestamp, "Cinder's clock was ahead")
	require.Equal(t, now.AddDate(1, 0, 0), *r.CinderTimestamp)
	require.True(t, r.ClockWrong())
}
