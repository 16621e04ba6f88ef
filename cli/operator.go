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
	in          *bufio.Reader // one for all questions, because it may have read the next answer already
	interactive bool          // the terminal shows the answers that the person types
	out         io.Writer
	yes         bool // the answer to every question
}

// operatorCommand completes an operator command that needs only the database.
func operatorCommand(c *cobra.Command, do func(ctx context.Context, o *operator, args []string) error) *cobra.Command {
	c.Long = operatorHelp(c, "It only writes to the database; scheduler and workers carry it out.", config.Listing(new(readConfig), false))
	yes, who := operatorFlags(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		cfg := new(readConfig)
		if err := config.Load(os.Environ(), cfg); err != nil {
			return UsageError{fmt.Errorf("read configuration: nothing was started:\n%w", err)}
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
	yes = c.Flags().BoolP("yes", "y", false, "answer every question with yes, for scripts")
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

// say writes a paragraph.
func (o *operator) say(format string, args ...any) {
	w := rendererFor(o.out)
	w.paragraph("", fmt.Sprintf(format, args...))
	_, _ = fmt.Fprint(o.out, w) // to a terminal
}

// errNotConfirmed is returned if the answer to a question is not yes.
var errNotConfirmed = errors.New("not confirmed: nothing is removed; answer yes, or use --yes")

// confirm asks before something is removed.
func (o *operator) confirm(question string) error {
	if o.yes {
		return nil
	}
	w := rendererFor(o.out)
	w.paragraph("", question+" [yes/no]")
	_, _ = fmt.Fprint(o.out, strings.TrimSuffix(w.String(), "\n"), " ") // to a terminal
	answer, err := o.in.ReadString('\n')
	if !o.interactive || err != nil {
		o.say("%s", strings.TrimSpace(answer))
	}
	if !slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(answer))) {
		return errNotConfirmed
	}
	return nil
}

// warnWithoutLeader prints warnings if no scheduler will carry out what was written.
func (o *operator) warnWithoutLeader(ctx context.Context) error {
	return o.database.Snapshot(ctx, func(l *db.Snapshot) error {
		head, _, err := reader(o.set).Head(ctx, l)
		for _, warning := range head.Warnings {
			o.say("WARNING: %s", warning)
		}
		return err
	})
}
