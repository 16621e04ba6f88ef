package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/config"
	"staffeln/openstack"
	"staffeln/takeover"
	"staffeln/view"
)

// importing is one run of the command import.
type importing struct {
	*operator

	cloud        *openstack.Cloud
	installation string
	tables       map[takeover.Table]string // names of the files; empty: none
	asJSON       bool
}

func importCommand() *cobra.Command {
	var backups, queue string
	var asJSON bool
	c := &cobra.Command{
		Use: "import", Short: "Takes over the backups of the Python program of the same name from its tables.",
		Long: "It reads the tables backup_data and queue_data as text, separated by tabs or commas (docs/moving-over.md has the commands that\n" +
			"print them), asks Cinder about each backup, shows what becomes of each, asks, and writes the records: chains, ages and retention\n" +
			"continue, and backups that are being made are followed to their end. Nothing is changed in the cloud. What it leaves it lists with\n" +
			"the reason, such as backups that the tenants had already deleted. It can be repeated: what has a record is not taken over again.\n" +
			"Stop the Python program before the tables are printed, and import before the scheduler starts.",
		Example: "  staffeln import --backups backup_data.tsv --queue queue_data.tsv\n  staffeln import --backups backup_data.csv --queue queue_data.csv --yes --json", Args: NoArguments,
	}
	c.Flags().StringVar(&backups, "backups", "", "file with the table backup_data")
	c.Flags().StringVar(&queue, "queue", "", "file with the table queue_data: backups in progress")
	c.Flags().BoolVar(&asJSON, "json", false, "write one JSON object with all data; without --yes nothing is asked and nothing is written")
	c.Long = operatorHelp(c, "It reads the cloud with the credentials of a scheduler, and writes to the database only.", config.Listing(new(cloudConfig), true)) +
		"\n\nWith --json (times are RFC 3339 in UTC, an empty list is [], what is not known is null or \"\"):\n" + jsonHelp(importPage{})
	yes, who := operatorFlags(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if backups == "" {
			return UsageError{errors.New("import: want --backups, the file with the table backup_data; see staffeln import --help")}
		}
		cfg := new(cloudConfig)
		var credentials openstack.Credentials
		_, err := configure(cmd, cfg, func() (err error) { credentials, err = openstack.FromEnv(os.Getenv); return err })
		if err != nil {
			return err
		}
		ctx := cmd.Context()
		i := &importing{tables: map[takeover.Table]string{takeover.BackupData: backups, takeover.QueueData: queue}, asJSON: asJSON}
		page := importPage{Left: []importedBackup{}, Taken: []importedBackup{}, Unreadable: []unreadableLine{}}
		rows, err := i.read(&page)
		if err != nil {
			return err
		}
		database, err := db.Open(ctx, cfg.DatabaseURL, nil)
		if err != nil {
			return err
		}
		defer database.Close()
		if i.installation, err = database.Installation(ctx); err != nil {
			return err
		}
		if i.cloud, err = openstack.Connect(ctx, credentials, cfg.Openstack); err != nil {
			return err
		}
		i.operator = newOperator(cmd, database, cfg.Settings, *who, *yes)
		return i.run(ctx, &page, rows)
	}
	return c
}

// read reads the files.
func (i *importing) read(page *importPage) (rows []takeover.Row, err error) {
	for _, table := range []takeover.Table{takeover.BackupData, takeover.QueueData} {
		name := i.tables[table]
		if name == "" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, UsageError{fmt.Errorf("read %s: %w", table, err)}
		}
		some, bad, err := takeover.Read(table, text)
		if err != nil {
			return nil, UsageError{fmt.Errorf("read %s from %s: %w", table, name, err)}
		}
		rows = append(rows, some...)
		for _, one := range bad {
			page.Unreadable = append(page.Unreadable, unreadableLine{name, one})
		}
	}
	return rows, nil
}

// run shows what becomes of the rows, asks, and writes the records.
func (i *importing) run(ctx context.Context, page *importPage, rows []takeover.Row) error {
	facts, err := i.facts(ctx, rows)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	decisions := takeover.Decide(rows, facts.CloudFacts)
	page.AsOf = facts.now
	page.fill(decisions, facts, i.tables)
	if !i.asJSON {
		if err := writePage(i.out, page, false); err != nil {
			return err
		}
	}
	if len(page.Taken) == 0 || i.asJSON && !i.yes {
		return i.end(page, "Nothing is written: there is nothing to take over.")
	}
	if err := i.confirm(fmt.Sprintf("Take over %s?", view.Plural(len(page.Taken), "backup", "backups"))); err != nil {
		return errors.New("import: not confirmed: nothing is written; type yes, or use --yes")
	}
	volumes, records := facts.write(decisions, i.set)
	action := db.OperatorAction{Who: i.who, Action: db.ActionImport, Intent: "take over " + page.summary()}
	err = i.database.RecordOperatorAction(ctx, action, func() (string, error) {
		written, err := i.database.TakeOver(ctx, volumes, records)
		page.Written = len(written)
		return fmt.Sprintf("%d of %d taken over", len(written), len(records)), err
	})
	if err != nil {
		return err
	}
	outcome := fmt.Sprintf("Done. %d of %d taken over.", page.Written, len(records))
	if page.Written < len(records) {
		outcome += " The others got a record meanwhile, or another backup of their volume began: import again."
	}
	return i.end(page, outcome)
}

// end writes the object for programs, or a sentence for people.
func (i *importing) end(page *importPage, outcome string) error {
	if i.asJSON {
		return writeJSON(i.out, page)
	}
	i.printf("%s", outcome)
	return nil
}

// kindOfRecord is the kind of a backup of Cinder.
func kindOfRecord(b backup.Backup) string {
	switch {
	case b.ID == "":
		return ""
	case b.Incremental:
		return string(backup.Incremental)
	}
	return string(backup.Full)
}
