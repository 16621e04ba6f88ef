package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"staffeln/internal/config"

	"github.com/spf13/cobra"

	"staffeln/backup"
)

type demoConfig struct {
	config.Database
	config.Queue
}

// cleanTime is how long cleaning up may take, also after a signal.
const cleanTime = 30 * time.Second

func demoCommand() *cobra.Command {
	const does = "Shows in about a minute what Staffeln does: real processes of this program around a simulated cloud."
	return &cobra.Command{
		Use: "demo", Short: does, Args: noArguments,
		Long: does + "\n\nIt needs an empty database and an empty Redis, and leaves both as it found them. It reads these variables:\n" +
			config.Listing(new(demoConfig), false) + "\n  KEEP                                             1 = leave everything running until Ctrl-C, and tell how to play with it",
		Example: "  STAFFELN_DATABASE_URL=postgres://staffeln@localhost/staffeln_demo STAFFELN_REDIS_URL=redis://localhost/15 staffeln demo",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg := new(demoConfig)
			if err := config.Load(os.Environ(), cfg); err != nil {
				return usageError{fmt.Errorf("read configuration: nothing was started:\n%w", err)}
			}
			// One Ctrl-C may come several times, from the terminal and from what started us: cleaning up goes on.
			again := make(chan os.Signal, 1)
			signal.Notify(again, syscall.SIGINT, syscall.SIGTERM)
			defer signal.Stop(again)
			d := &demo{config: cfg, out: cmd.OutOrStdout(), keep: os.Getenv("KEEP") == "1"}
			return d.run(cmd.Context())
		},
	}
}

// demo is one run of it.
type demo struct {
	config *demoConfig
	out    io.Writer
	keep   bool

	folder string // of the logs
	place  *demoPlace
	world  *demoWorld
	house  *household
	story  *story
}

// run plays the demo and takes everything away again. The logs stay where it did not end well.
func (d *demo) run(ctx context.Context) (err error) {
	defer func() {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			err = errors.New("interrupted; what the demo had started is taken down")
		}
		cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTime)
		defer cancel()
		err = errors.Join(err, d.clean(cleaning, err == nil || ctx.Err() != nil))
	}()
	if err := d.open(ctx); err != nil {
		return err
	}
	screen := newDemoView(d.out, d)
	last, err := d.play(ctx, screen)
	screen.end()
	if err != nil {
		return err
	}
	if err := d.conclude(last); err != nil {
		return err
	}
	if !d.keep {
		return d.say(nextSteps)
	}
	return d.stay(ctx)
}

// open brings place, cloud and processes, and waits until all are ready.
func (d *demo) open(ctx context.Context) (err error) {
	if d.place, err = takeDemoPlace(ctx, d.config.Database, d.config.Queue); err != nil {
		return err
	}
	var defaults backup.Settings
	if err := config.Load(nil, &defaults); err != nil {
		return err
	}
	if d.world, err = newDemoWorld(ctx, defaults.BackupMetadataKey); err != nil {
		return err
	}
	if d.folder, err = os.MkdirTemp("", "staffeln-demo-"); err != nil {
		return fmt.Errorf("make folder for the logs: %w", err)
	}
	if d.house, err = newHousehold(ctx, d.folder, demoEnvironment(d.world, d.config.DatabaseURL, d.config.RedisURL)); err != nil {
		return err
	}
	if out, err := d.house.command(ctx, nil, "migrate", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("migrate database: %w\n%s", err, out)
	}
	if err := d.place.mark(ctx); err != nil {
		return err
	}
	d.world.sim.AskBeforeDelete("http://" + d.house.named("api").address + "/v1/backup?backup_id=%(id)s")
	for _, m := range d.house.members {
		if err := d.house.start(ctx, m); err != nil {
			return err
		}
	}
	return d.house.ready(ctx)
}

// play shows what is seen four times a second until the story is over, lets the processes end that act, and answers the
// last look.
func (d *demo) play(ctx context.Context, screen demoView) (*sight, error) {
	beat := time.NewTicker(250 * time.Millisecond)
	defer beat.Stop()
	for over := false; !over; {
		seen, err := seeAll(ctx, d.place.conn, d.world.sim)
		if err != nil {
			return nil, err
		}
		if d.story == nil {
			d.story = newStory(d.world, d.house)
			d.story.began = seen.now
			screen.tell(0, fmt.Sprintf("A simulated cloud with 3 projects and %d volumes; 2 schedulers, 2 workers and the api are ready.", len(d.world.volumes)))
		}
		var told []string
		if told, over, err = d.story.step(ctx, seen); err != nil {
			return nil, err
		}
		for _, line := range told {
			screen.tell(seen.now.Sub(d.story.began), line)
		}
		screen.show(seen)
		select {
		case <-beat.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err := d.house.stop("scheduler", "worker"); err != nil {
		return nil, err
	}
	last, err := seeAll(ctx, d.place.conn, d.world.sim)
	if err == nil {
		screen.show(last)
	}
	return last, err
}

// clean takes down what runs and drops what was made.
func (d *demo) clean(ctx context.Context, well bool) error {
	var faults []error
	if d.house != nil {
		faults = append(faults, d.house.stop("scheduler", "worker", "api"))
	}
	if d.world != nil {
		faults = append(faults, d.world.stop())
	}
	if d.place != nil {
		faults = append(faults, d.place.leave(ctx))
	}
	if d.folder != "" && well {
		faults = append(faults, os.RemoveAll(d.folder))
	}
	return errors.Join(faults...)
}

func (d *demo) say(text string) error {
	_, err := io.WriteString(d.out, text)
	return err
}
