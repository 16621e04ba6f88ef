package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
)

// backupsView is a list of records.
type backupsView struct {
	asOf

	Backups []backupView `json:"backups" desc:"the newest first"`
	More    bool         `json:"more" desc:"there are more than --limit"`
}

// backupView is one record.
type backupView struct {
	object

	RecordID  string     `json:"record_id" desc:"ours; it stands in the backup's tag and in the log"`
	BackupID  string     `json:"backup_id" desc:"Cinder's; \"\" before its answer"`
	Kind      string     `json:"kind" desc:"full or incremental; \"\": Cinder was not asked for any"`
	State     string     `json:"state" desc:"planned, creating, overdue, available, deleting, deleted, withdrawn, failed, lost or undeletable"`
	SizeGiB   int        `json:"size_gib" desc:"of the volume, when it was backed up"`
	At        time.Time  `json:"at" desc:"the time of its data; before it has any, of the request, or of the plan"`
	Took      *int64     `json:"took_seconds" desc:"from the request until it was seen available or failed"`
	KeptUntil *time.Time `json:"kept_until" desc:"when its turn to go comes by policy, if no further backup is made; null: it stays, or is not there"`
	Kept      reason     `json:"kept_why" desc:"why it stays in Cinder now, or goes"`
	Reason    reason     `json:"reason" desc:"of the record's state, where there is something to say"`
	Text      string     `json:"text" desc:"in full: Cinder's words"`
	RequestID string     `json:"request_id" desc:"of the request that the reason tells of"`
}

func backupsCommand() *cobra.Command {
	f := db.Filter{}
	c := &cobra.Command{
		Use: "backups", Short: "Lists backups, the newest first: when, of what, how it ended, how long it is kept, and why.",
		Long: "A filter is an ID or a name; KEPT UNTIL is when its turn to go comes if no further backup is made, or `floor`\n" +
			"for what is always kept. Times are UTC.",
		Example: "  staffeln backups --volume data --limit 10\n  staffeln backups --project acme --state failed,overdue\n" +
			"  staffeln backups --server web-1 --json | jq '.backups[].backup_id'", Args: noArguments,
	}
	flags := c.Flags()
	flags.StringVar(&f.Project, "project", "", "only of the project with this ID or name")
	flags.StringVar(&f.Server, "server", "", "only of the server with this ID or name")
	flags.StringVar(&f.Volume, "volume", "", "only of the volume with this ID or name")
	flags.StringSliceVar(&f.States, "state", nil, "only in these states, divided by commas")
	flags.IntVar(&f.Limit, "limit", 50, "how many to list; 0 = all")
	_ = c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(states(), cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	c.PreRunE = func(*cobra.Command, []string) error {
		for _, state := range f.States {
			if !slices.Contains(states(), state) {
				return usageError{fmt.Errorf("read --state: %q: want some of %v", state, states())}
			}
		}
		if f.Limit < 0 {
			return usageError{fmt.Errorf("read --limit: %d: want 0 (all) or more", f.Limit)}
		}
		return nil
	}
	return showCommand(c, backupsView{}, func(ctx context.Context, l *db.Look, set backup.Settings, _ []string) (view, error) {
		return lookBackups(ctx, l, set, f)
	})
}

func states() []string {
	return each(backup.States, func(s backup.State) string { return string(s) })
}

func lookBackups(ctx context.Context, l *db.Look, set backup.Settings, f db.Filter) (view, error) {
	head, _, err := lookHead(ctx, l, set)
	if err != nil {
		return nil, err
	}
	v := backupsView{asOf: head}
	limit := f.Limit
	if limit > 0 {
		f.Limit++ // one more tells that there are more
	}
	records, err := l.Backups(ctx, f)
	if err != nil {
		return nil, err
	}
	if limit > 0 && len(records) > limit {
		records, v.More = records[:limit], true
	}
	kept, err := lookFates(ctx, l, set, records)
	v.Backups = each(records, func(r backup.Record) backupView { return backupOf(r, kept[r.BackupID]) })
	return v, err
}

// lookFates tells what becomes of the backups of all volumes that the records are about.
func lookFates(ctx context.Context, l *db.Look, set backup.Settings, records []backup.Record) (map[string]fate, error) {
	var ids []string
	for _, r := range records {
		ids = append(ids, r.VolumeID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	volumes, err := l.Volumes(ctx, ids)
	if err != nil {
		return nil, err
	}
	held, err := l.Held(ctx, ids)
	if err != nil {
		return nil, err
	}
	all := map[string]fate{}
	for _, v := range volumes {
		maps.Copy(all, fates(l.Now, holdingOf(set, v, held[v.ID])))
	}
	return all, nil
}

func backupOf(r backup.Record, f fate) backupView {
	v := backupView{
		object: objectOf(r), RecordID: r.ID, BackupID: r.BackupID, Kind: string(r.Kind), State: string(r.State), SizeGiB: r.SizeGiB,
		At: r.Beat, KeptUntil: f.goes, Kept: reasonOf(f.why), Reason: reasonOf(r.Reason), Text: r.ReasonText, RequestID: r.RequestID,
	}
	if r.State == backup.Failed && r.RequestedAt == nil {
		v.Kind = ""
	}
	switch {
	case r.DataTimestamp != nil:
		v.At = *r.DataTimestamp
	case r.RequestedAt != nil:
		v.At = *r.RequestedAt
	}
	if r.RequestedAt != nil && r.EndedAt != nil {
		v.Took = new(int64(r.EndedAt.Sub(*r.RequestedAt) / time.Second))
	}
	if removed := slices.Contains([]backup.State{backup.Deleting, backup.Deleted, backup.Undeletable}, r.State); removed || r.RemovalReason != "" {
		v.Reason, v.Text = reasonOf(r.RemovalReason), r.RemovalText
	}
	return v
}

func (v backupsView) draw(s *sheet) {
	v.asOf.draw(s, "Backups")
	s.line("")
	if len(v.Backups) == 0 {
		s.words("", "None. `staffeln status --volumes` lists the volumes; a filter is an ID or a whole name.")
		return
	}
	var rows [][]string
	for _, b := range v.Backups {
		rows = append(rows, []string{
			s.near(b.At), b.all(), cmp.Or(short(b.Kind), "-"), strconv.Itoa(b.SizeGiB), s.state(b.State), b.took(), b.kept(s),
		})
	}
	s.table([]column{
		{name: "TIME"},
		{name: "VOLUME, SERVER, PROJECT", flex: true},
		{name: "KIND"},
		{name: "GIB", right: true},
		{name: "STATE"},
		{name: "TOOK", right: true},
		{name: "KEPT UNTIL"},
	}, rows, 0)
	if v.More {
		s.line("  … and more: --limit 0 lists all.")
	}
	v.drawReasons(s)
}

func (b backupView) took() string {
	if b.Took == nil {
		return "-"
	}
	return span(seconds(*b.Took))
}

func (b backupView) kept(s *sheet) string {
	switch {
	case b.KeptUntil != nil:
		return s.near(*b.KeptUntil)
	case b.Kept.Code == backup.Floor || b.Kept.Code == backup.FloorStandsOnIt:
		return "floor"
	case b.Kept.Code != "" && b.Kept.Code != backup.BeingCreated:
		return "stays"
	}
	return "-"
}
