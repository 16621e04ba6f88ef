package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/config"
)

// operator is what the operator commands work with: the database, the settings, and the person at the terminal.
type operator struct {
	database    *db.DB
	set         backup.Settings
	who         string        // the person's name in the audit table
	in          *bufio.Reader // one for all questions, because it may have read the next line already
	interactive bool          // the terminal shows what the person types
	out         io.Writer
	yes         bool // every question is confirmed
}

// operatorCommand completes an operator command that needs only the database.
func operatorCommand(c *cobra.Command, do func(ctx context.Context, o *operator, args []string) error) *cobra.Command {
	c.Long = operatorHelp(c, "It writes to the database; scheduler and workers carry it out.", config.Listing(new(readConfig), false))
	yes, who := operatorFlags(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		cfg := new(readConfig)
		if _, err := configure(cmd, cfg); err != nil {
			return err
		}
		database, err := db.Open(cmd.Context(), cfg.DatabaseURL, nil)
		if err != nil {
			return err
		}
		defer database.Close()
		return do(cmd.Context(), newOperator(cmd, database, cfg.Settings, *who, *yes), args)
	}
	return c
}

func newOperator(cmd *cobra.Command, database *db.DB, set backup.Settings, who string, yes bool) *operator {
	return &operator{
		database: database, set: set, who: who, in: bufio.NewReader(cmd.InOrStdin()),
		interactive: isTerminal(cmd.InOrStdin()), out: cmd.OutOrStdout(), yes: yes,
	}
}

func operatorHelp(c *cobra.Command, how, variables string) string {
	return c.Short + "\n\n" + c.Long + "\n\nIt prints what it does; `staffeln audit` shows it afterwards, with the name of the person.\n" + how +
		"\nIt reads these variables (docs/configuration.md describes them):\n" + variables
}

func operatorFlags(c *cobra.Command) (yes *bool, who *string) {
	yes = c.Flags().BoolP("yes", "y", false, "assume yes for every question, for scripts")
	who = c.Flags().String("who", person(), "name for the audit table")
	return yes, who
}

// person returns who uses the terminal, as far as the system knows.
func person() string {
	name := os.Getenv("SUDO_USER")
	if u, err := user.Current(); name == "" && err == nil {
		name = u.Username
	}
	host, _ := os.Hostname() // without one the name has to do
	return strings.TrimSuffix(cmp.Or(name, "unknown")+"@"+host, "@")
}

// printf writes a paragraph.
func (o *operator) printf(format string, args ...any) {
	w := rendererFor(o.out)
	w.paragraph("", fmt.Sprintf(format, args...))
	_, _ = fmt.Fprint(o.out, w) // to a terminal
}

// errNotConfirmed is returned if the person does not confirm.
var errNotConfirmed = errors.New("not confirmed: nothing is removed; type yes, or use --yes")

// confirm asks before something is removed.
func (o *operator) confirm(question string) error {
	if o.yes {
		return nil
	}
	w := rendererFor(o.out)
	w.paragraph("", question+" [yes/no]")
	_, _ = fmt.Fprint(o.out, strings.TrimSuffix(w.String(), "\n"), " ") // to a terminal
	reply, err := o.in.ReadString('\n')
	if !o.interactive || err != nil {
		o.printf("%s", strings.TrimSpace(reply))
	}
	if !slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(reply))) {
		return errNotConfirmed
	}
	return nil
}

// warnWithoutLeader prints warnings if no scheduler will carry out what was written.
func (o *operator) warnWithoutLeader(ctx context.Context) error {
	return o.database.Snapshot(ctx, func(l *db.Snapshot) error {
		metadata, _, err := reader(o.set).Metadata(ctx, l)
		for _, warning := range metadata.Warnings {
			o.printf("WARNING: %s", warning.Words)
		}
		return err
	})
}
