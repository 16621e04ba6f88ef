package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
)

// showConfig is what the commands for people at a terminal read: the memory and the scheduler's own rules, since what a
// plan will decide is worked out here from the same. They need no cloud and no queue, so that they work without them.
type showConfig struct {
	Database
	Scheduler
}

// A view is what one of these commands shows: one object with --json, else drawn for people.
type view interface{ draw(*sheet) }

// asOf is the head of every view: how old it is.
type asOf struct {
	At        time.Time  `json:"at" desc:"the database's clock, by which all ages count"`
	PlannedAt *time.Time `json:"planned_at" desc:"grid time of the newest plan, which this view knows the cloud by; null: there was none"`
	Warnings  []string   `json:"warnings" desc:"what is wrong with Staffeln itself"`
}

func (a asOf) draw(s *sheet, title string) {
	s.now = a.At
	s.title(title)
	if a.PlannedAt == nil {
		s.line("As of %s UTC. Nothing was planned yet: is a scheduler running?", clock(a.At))
	} else {
		s.line("As of %s UTC, by the plan of %s (%s ago).", clock(a.At), clock(*a.PlannedAt), span(a.At.Sub(*a.PlannedAt)))
	}
	for _, w := range a.Warnings {
		s.words("", s.paint(careful, "WARNING:")+" "+w)
	}
}

// looker gathers one view from one look at the memory.
type looker func(ctx context.Context, l *db.Look, set backup.Settings, args []string) (view, error)

// showCommand answers the subcommand of a view.
func showCommand(c *cobra.Command, example view, look looker) *cobra.Command {
	var asJSON bool
	c.Flags().BoolVar(&asJSON, "json", false, "write one JSON object instead, with all there is")
	c.Long = c.Short + "\n\n" + c.Long + "\n\nIt only reads the database, so it works while the cloud or the queue is down. Give it the scheduler's\n" +
		"environment: the policy counts as these variables say (docs/configuration.md says more):\n" + listing(new(showConfig), false) +
		"\n\nWith --json (times are RFC 3339 in UTC, an empty list is [], what is not known is null or \"\"):\n" + jsonHelp(example)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		config := new(showConfig)
		if err := load(os.Environ(), config); err != nil {
			return usageError{fmt.Errorf("read configuration: nothing was started:\n%w", err)}
		}
		seen, err := showOnce(cmd.Context(), config, look, args)
		if err != nil {
			return err
		}
		if asJSON {
			out := json.NewEncoder(cmd.OutOrStdout())
			out.SetIndent("", "  ")
			return out.Encode(seen)
		}
		s := sheetFor(cmd.OutOrStdout())
		seen.draw(s)
		_, err = fmt.Fprint(cmd.OutOrStdout(), s)
		return err
	}
	return c
}

func showOnce(ctx context.Context, config *showConfig, look looker, args []string) (seen view, err error) {
	memory, err := db.Open(ctx, config.DatabaseURL, nil)
	if err != nil {
		return nil, err
	}
	defer memory.Close()
	err = memory.Look(ctx, func(l *db.Look) error {
		seen, err = look(ctx, l, config.Settings, args)
		return err
	})
	return seen, err
}

// lookHead reads the head of a view: what is planned ahead is worth little where nobody plans.
func lookHead(ctx context.Context, l *db.Look, set backup.Settings) (asOf, db.Leader, error) {
	leader, err := l.Leader(ctx)
	_, warnings := leading(l.Now, leader, set)
	return asOf{At: l.Now, PlannedAt: leader.PlannedBeat, Warnings: warnings}, leader, err
}

// object names a volume in views.
type object struct {
	VolumeID    string `json:"volume_id" desc:"Cinder's ID"`
	VolumeName  string `json:"volume_name" desc:"as the newest plan, or the backup's own, saw it"`
	ServerID    string `json:"server_id" desc:"of the server that asked for backups, or the last one that did"`
	ServerName  string `json:"server_name" desc:"its name"`
	ProjectID   string `json:"project_id" desc:"of the owning project"`
	ProjectName string `json:"project_name" desc:"its name"`
}

func objectOf(r backup.Record) object {
	return object{r.VolumeID, r.VolumeName, r.ServerID, r.ServerName, r.ProjectID, r.ProjectName}
}

// volume, server and project name them by name, and by ID where they have none.
func (o object) volume() string  { return or(o.VolumeName, o.VolumeID) }
func (o object) server() string  { return or(o.ServerName, o.ServerID) }
func (o object) project() string { return or(o.ProjectName, o.ProjectID) }

// compare orders by name.
func (o object) compare(p object) int {
	return cmp.Or(cmp.Compare(o.ProjectName, p.ProjectName), cmp.Compare(o.VolumeName, p.VolumeName), cmp.Compare(o.VolumeID, p.VolumeID))
}

// all names the three, the most telling first.
func (o object) all() string {
	words := []string{o.volume()}
	for _, word := range []string{o.server(), o.project()} {
		if word != "" {
			words = append(words, word)
		}
	}
	return strings.Join(words, ", ")
}

func or(name, id string) string {
	if name == "" {
		return id
	}
	return name
}

// reason is a code of the closed set, for programs and for people.
type reason struct {
	Code     backup.Reason `json:"code" desc:"as in the log, the metrics and the runbook; \"\": there is nothing to say"`
	Sentence string        `json:"sentence" desc:"the same for people"`
	MustAct  backup.Owner  `json:"must_act" desc:"tenant, operator or nobody"`
}

func reasonOf(r backup.Reason) reason {
	if r == "" {
		return reason{MustAct: backup.Nobody}
	}
	return reason{r, r.Sentence(), r.Whose()}
}

// words says it, with its code, and who must act where somebody must.
func (r reason) words() string {
	words := fmt.Sprintf("%s (%s)", r.Sentence, r.Code)
	if r.MustAct != backup.Nobody {
		words += " The " + string(r.MustAct) + " must act."
	}
	return words
}
