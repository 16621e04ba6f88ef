package main

import (
	"context"
	"fmt"
	"io"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"staffeln/cli"
	"staffeln/db"
	"staffeln/internal/config"
)

func migrateCommand() *cobra.Command {
	migrate := &cobra.Command{
		Use: "migrate", Short: "Migrates the database to the schema of this program, or back.",
		Long: "Migrates the database to the schema of this program, or back.\n\nIt reads these variables (docs/configuration.md describes them):\n" +
			config.Listing(new(config.Migration), false),
		Example: "  STAFFELN_DATABASE_URL=postgres://staffeln@localhost/staffeln staffeln migrate up",
		Args:    cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cli.UsageError{Cause: fmt.Errorf("name a subcommand; see %s --help", cmd.CommandPath())}
		},
	}
	step := func(name, does string, run func(context.Context, string, io.Writer) error) {
		var c *cobra.Command
		c = processCommand(about{name: name, does: does, example: "staffeln migrate " + name}, new(config.Migration),
			func(ctx context.Context, cfg *config.Migration, _ dependencies) error {
				if err := run(ctx, cfg.DatabaseURL, c.OutOrStdout()); err != nil || name != "up" || cfg.DatabaseAPIRole == "" {
					return err
				}
				return db.GrantAPI(ctx, cfg.DatabaseURL, cfg.DatabaseAPIRole)
			})
		migrate.AddCommand(c)
	}
	step("up", "Applies all missing migrations. Processes of the previous version may run meanwhile, unless CHANGELOG.md states otherwise.", migrateUp)
	step("down", "Undoes the newest migration. Undoing the first one deletes all data.", migrateDown)
	step("status", "Lists the migrations and whether each is applied.", migrateStatus)
	return migrate
}

func migrateUp(ctx context.Context, url string, _ io.Writer) error {
	done, err := db.MigrateUp(ctx, url)
	for _, m := range done {
		zerolog.Ctx(ctx).Info().Int64("migration", m.Version).Str("name", m.Name).Msg("migration applied")
	}
	if err == nil && len(done) == 0 {
		zerolog.Ctx(ctx).Info().Msg("no migration is missing")
	}
	return err
}

func migrateDown(ctx context.Context, url string, _ io.Writer) error {
	m, err := db.MigrateDown(ctx, url)
	if err != nil {
		return err
	}
	zerolog.Ctx(ctx).Info().Int64("migration", m.Version).Str("name", m.Name).Msg("migration undone")
	return nil
}

func migrateStatus(ctx context.Context, url string, out io.Writer) error {
	all, err := db.MigrationStatus(ctx, url)
	for _, m := range all {
		state := "missing"
		if m.Applied {
			state = "applied"
		}
		_, _ = fmt.Fprintf(out, "%-8s %d %s\n", state, m.Version, m.Name) // to a terminal
	}
	return err
}
