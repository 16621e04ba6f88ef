package main

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
	"staffeln/view"
)

// A hand is what the commands of people who intervene work with: the memory, the rules, and the person.
type hand struct {
	memory *db.DB
	set    backup.Settings
	who    string        // as the audit table names the person
	in     *bufio.Reader // one for all questions: what it read ahead is the next answer
	typed  bool          // the answers are typed: the terminal shows them
	out    io.Writer
	yes    bool // every question is answered so
}

// handCommand answers the subcommand of an intervention that needs the database alone.
func handCommand(c *cobra.Command, do func(ctx context.Context, h *hand, args []string) error) *cobra.Command {
	c.Long = handLong(c, "It only writes to the database; scheduler and workers carry it out.", listing(new(showConfig), false))
	yes, who := handFlags(c)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		config := new(showConfig)
		if err := load(os.Environ(), config); err != nil {
			return usageError{fmt.Errorf("read configuration: nothing was started:\n%w", err)}
		}
		memory, err := db.Open(cmd.Context(), config.DatabaseURL, nil)
		if err != nil {
			return err
		}
		defer memory.Close()
		return do(cmd.Context(), newHand(cmd, memory, config.Settings, *who, *yes), args)
	}
	return c
}

func newHand(cmd *cobra.Command, memory *db.DB, set backup.Settings, who string, yes bool) *hand {
	typed := false
	if file, ok := cmd.InOrStdin().(*os.File); ok {
		info, err := file.Stat()
		typed = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return &hand{memory, set, who, bufio.NewReader(cmd.InOrStdin()), typed, cmd.OutOrStdout(), yes}
}

func handLong(c *cobra.Command, how, variables string) string {
	return c.Short + "\n\n" + c.Long + "\n\nIt says what it does, and `staffeln audit` shows afterwards who did it. " + how +
		"\nIt reads these variables (docs/configuration.md says more):\n" + variables
}

func handFlags(c *cobra.Command) (yes *bool, who *string) {
	yes = c.Flags().BoolP("yes", "y", false, "answer every question with yes, for scripts")
	who = c.Flags().String("who", person(), "the name for the audit table")
	return yes, who
}

// person is who sits at the terminal, as far as it tells.
func person() string {
	name := os.Getenv("SUDO_USER")
	if u, err := user.Current(); name == "" && err == nil {
		name = u.Username
	}
	host, _ := os.Hostname() // without one the name has to do
	return strings.TrimSuffix(cmp.Or(name, "unknown")+"@"+host, "@")
}

// say writes a paragraph.
func (h *hand) say(format string, args ...any) {
	s := sheetFor(h.out)
	s.words("", fmt.Sprintf(format, args...))
	_, _ = fmt.Fprint(h.out, s) // to a terminal
}

// errNotConfirmed is the answer to a question that is not yes.
var errNotConfirmed = errors.New("not confirmed: nothing is removed; answer yes, or give --yes")

// confirm asks before something is removed.
func (h *hand) confirm(question string) error {
	if h.yes {
		return nil
	}
	s := sheetFor(h.out)
	s.words("", question+" [yes/no]")
	_, _ = fmt.Fprint(h.out, strings.TrimSuffix(s.String(), "\n"), " ") // to a terminal
	answer, err := h.in.ReadString('\n')
	if !h.typed || err != nil {
		h.say("%s", strings.TrimSpace(answer))
	}
	if !slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(answer))) {
		return errNotConfirmed
	}
	return nil
}

// targets are the volumes that one argument names: a volume, or a server with all its protected volumes.
func (h *hand) targets(ctx context.Context, name string) (volumes []db.Volume, err error) {
	err = h.memory.Look(ctx, func(l *db.Look) error {
		volumes, err = l.Targets(ctx, name)
		return err
	})
	switch several := new(db.AmbiguousError); {
	case errors.As(err, several):
		return nil, fmt.Errorf("find %s: %w: give the ID; `staffeln status --volumes --json` lists them", name, err)
	case errors.Is(err, db.ErrUnknownVolume):
		return nil, fmt.Errorf("find %s: no volume of that ID or name, and no server with a protected one, is known: `staffeln status --volumes` lists them", name)
	}
	return volumes, err
}

// project finds a project that some volume or backup is of; for the empty name all.
func (h *hand) project(ctx context.Context, name string) (p db.Project, err error) {
	if name == "" {
		return db.Project{}, nil
	}
	err = h.memory.Look(ctx, func(l *db.Look) error {
		if p, err = l.Project(ctx, name); !errors.Is(err, db.ErrUnknownProject) {
			return err
		}
		unknown := err
		paused, err := l.Pauses(ctx)
		if slices.ContainsFunc(paused, func(one db.Pause) bool { return one.ProjectID == name }) {
			p = db.Project{ID: name} // its last record was forgotten, and its pause was not
			return nil
		}
		return cmp.Or(err, unknown)
	})
	if several := new(db.AmbiguousError); errors.As(err, several) || errors.Is(err, db.ErrUnknownProject) {
		return p, usageError{fmt.Errorf("read --project: %s: %w; give the ID of one that `staffeln backups --json` shows", name, err)}
	}
	return p, err
}

// told names a volume with its server and project.
func told(v db.Volume) string {
	words := "volume " + view.Or(v.Name, v.ID)
	if v.ServerID != "" {
		words += " (server " + view.Or(v.ServerName, v.ServerID) + ", project " + view.Or(v.ProjectName, v.ProjectID) + ")"
	}
	return words
}

// oneTarget wants one argument.
func oneTarget(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageError{fmt.Errorf("read arguments: %d: want one VOLUME or SERVER, by ID or name; see %s --help", len(args), cmd.CommandPath())}
	}
	return nil
}
