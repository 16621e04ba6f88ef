package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"staffeln/db"
	"staffeln/view"
)

func pauseCommand() *cobra.Command {
	var project, why string
	c := &cobra.Command{
		Use: "pause", Short: "Lets nothing new start, in one project or in all: no backup and no removal. What runs is followed.",
		Long: "For maintenance of Cinder or of its backup store. It lasts until `staffeln resume`; volumes that come to be late meanwhile\n" +
			"are reported as late. It holds from the moment on that this command returns; a request that was sent before is carried out.",
		Example: "  staffeln pause --why 'upgrade of Cinder until noon'\n  staffeln pause --project acme", Args: noArguments,
	}
	c.Flags().StringVar(&project, "project", "", "the project, by ID or name; without it all are paused")
	c.Flags().StringVar(&why, "why", "", "shown in `staffeln status` until it ends")
	return handCommand(c, func(ctx context.Context, h *hand, _ []string) error {
		p, err := h.project(ctx, project)
		if err != nil {
			return err
		}
		begun := false
		err = h.memory.Intervene(ctx, db.Intervention{
			Who: h.who, Action: db.ActPause, Object: p.ID, ProjectID: p.ID, Intent: "pause of " + p.String() + view.Because(why),
		}, func() (string, error) {
			begun, err = h.memory.Pause(ctx, db.Pause{ProjectID: p.ID, Who: h.who, Why: why})
			return "paused", err
		})
		if err != nil {
			return err
		}
		if !begun {
			h.say("There was a pause of %s already. It goes on, with these words:", p)
		}
		return h.tellPauses(ctx)
	})
}

func resumeCommand() *cobra.Command {
	var project string
	c := &cobra.Command{
		Use: "resume", Short: "Ends a pause: of one project, or the one of all.",
		Long:    "What became due meanwhile begins under the caps, the oldest restore points first. Ending the pause of all leaves those of\nsingle projects as they are; it says which there are.",
		Example: "  staffeln resume\n  staffeln resume --project acme", Args: noArguments,
	}
	c.Flags().StringVar(&project, "project", "", "the project, by ID or name; without it the pause of all is ended")
	return handCommand(c, func(ctx context.Context, h *hand, _ []string) error {
		p, err := h.project(ctx, project)
		if err != nil {
			return err
		}
		ended := false
		err = h.memory.Intervene(ctx, db.Intervention{Who: h.who, Action: db.ActResume, Object: p.ID, ProjectID: p.ID, Intent: "end of the pause of " + p.String()},
			func() (string, error) {
				ended, err = h.memory.Resume(ctx, p.ID)
				return map[bool]string{true: "resumed", false: "was not paused"}[ended], err
			})
		if err != nil {
			return err
		}
		if ended {
			h.say("Resumed: %s. What is due begins at the next dispatch run, where no other pause holds.", p)
		} else {
			h.say("Nothing to resume: there is no pause of %s.", p)
		}
		return h.tellPauses(ctx)
	})
}

// tellPauses says what is paused now, and what runs all the same.
func (h *hand) tellPauses(ctx context.Context) error {
	return h.memory.Look(ctx, func(l *db.Look) error {
		paused, err := l.Pauses(ctx)
		if err != nil {
			return err
		}
		busy, err := l.Busy(ctx)
		if err != nil {
			return err
		}
		running := 0
		for _, r := range busy {
			if paused.Of(r.ProjectID) != nil && r.RequestedAt != nil {
				running++
			}
		}
		for _, p := range paused {
			of, err := view.ProjectOf(ctx, l, p.ProjectID)
			if err != nil {
				return err
			}
			h.say("%s", toCopy(view.PausedWords(p, of)))
		}
		if running > 0 {
			h.say("%s running there. What runs is followed to its end.", view.Plural(running, "backup or removal is", "backups and removals are"))
		}
		return nil
	})
}

// toCopy puts a command that names a project on a line of its own: it is copied from there.
func toCopy(words string) string {
	return strings.Replace(words, " `staffeln resume --project", "\n`staffeln resume --project", 1)
}

func capital(words string) string {
	if words == "" {
		return words
	}
	return string(words[0]-'a'+'A') + words[1:]
}
