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

	"github.com/spf13/cobra"

	"staffeln/cli"
	"staffeln/internal/config"
)

type demoConfig struct {
	config.Database
	config.Queue
}

const (
	cleanupTimeout = 30 * time.Second // also after a signal
	refreshPeriod  = 250 * time.Millisecond
)

func demoCommand() *cobra.Command {
	const does = "Shows in about a minute what Staffeln does, with its real processes and a simulated cloud."
	return &cobra.Command{
		Use: "demo", Short: does, Args: cli.NoArguments,
		Long: does + "\n\nIt starts the program staffeln from its own folder. It needs an empty database and an empty Redis, and leaves both as it\n" +
			"found them. It reads these variables:\n" + config.Listing(new(demoConfig), false) +
			"\n  KEEP                                             1 = keep everything running until Ctrl-C, and print how to use it",
		Example: "  STAFFELN_DATABASE_URL=postgres://staffeln@localhost/staffeln_demo STAFFELN_REDIS_URL=redis://localhost/15 staffeln-sim demo",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg := new(demoConfig)
			if err := config.Load(os.Environ(), cfg); err != nil {
				return cli.UsageError{Cause: fmt.Errorf("configuration refused:\n%w", err)}
			}
			// One Ctrl-C may arrive several times, from the terminal and from the parent process. Cleanup must continue.
			again := make(chan os.Signal, 1)
			signal.Notify(again, syscall.SIGINT, syscall.SIGTERM)
			defer signal.Stop(again)
			d := &demo{config: cfg, out: cmd.OutOrStdout(), keep: os.Getenv("KEEP") == "1"}
			return d.run(cmd.Context())
		},
	}
}

// demo is one run of the demo.
type demo struct {
	config *demoConfig
	out    io.Writer
	keep   bool

	folder      string // of the logs
	stores      *stores
	environment *environment
	supervisor  *supervisor
	scenario    *scenario
}

// run plays the demo and removes everything again. The logs are kept if it failed.
func (d *demo) run(ctx context.Context) (err error) {
	defer func() {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			err = errors.New("interrupted; the demo has ended its processes and removed its data")
		}
		cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		err = errors.Join(err, d.clean(cleaning, err == nil || ctx.Err() != nil))
	}()
	if err := d.open(ctx); err != nil {
		return err
	}
	view := newView(d.out, d)
	last, err := d.play(ctx, view)
	view.end()
	if err != nil {
		return err
	}
	if err := d.conclude(last); err != nil {
		return err
	}
	if !d.keep {
		return d.print(nextSteps)
	}
	return d.keepRunning(ctx)
}

// open prepares stores, cloud and processes, and waits until all are ready.
func (d *demo) open(ctx context.Context) (err error) {
	program, err := findProgram()
	if err != nil {
		return err
	}
	if d.stores, err = openStores(ctx, d.config.Database, d.config.Queue); err != nil {
		return err
	}
	key, err := metadataKey()
	if err != nil {
		return err
	}
	if d.environment, err = newEnvironment(ctx, key); err != nil {
		return err
	}
	if d.folder, err = os.MkdirTemp("", "staffeln-demo-"); err != nil {
		return fmt.Errorf("make folder for the logs: %w", err)
	}
	variables := d.environment.variables(d.config.DatabaseURL, d.config.RedisURL)
	if d.supervisor, err = newSupervisor(ctx, program, d.folder, variables); err != nil {
		return err
	}
	if out, err := d.supervisor.command(ctx, nil, "migrate", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("migrate database: %w\n%s", err, out)
	}
	if err := d.stores.mark(ctx); err != nil {
		return err
	}
	d.environment.sim.AskBeforeDelete("http://" + d.supervisor.named("api").address + "/v1/backup?backup_id=%(id)s")
	for _, p := range d.supervisor.processes {
		if err := d.supervisor.start(ctx, p); err != nil {
			return err
		}
	}
	return d.supervisor.waitReady(ctx)
}

// play shows a snapshot four times a second until the scenario is over, ends schedulers and workers, and returns the last
// snapshot.
func (d *demo) play(ctx context.Context, view view) (*snapshot, error) {
	ticker := time.NewTicker(refreshPeriod)
	defer ticker.Stop()
	for over := false; !over; {
		now, err := takeSnapshot(ctx, d.stores.conn, d.environment.sim)
		if err != nil {
			return nil, err
		}
		if d.scenario == nil {
			d.scenario = newScenario(d.environment, d.supervisor)
			d.scenario.began = now.at
			view.event(0, fmt.Sprintf("A simulated cloud with 3 projects and %d volumes; 2 schedulers, 2 workers and the api are ready.", len(d.environment.volumes)))
		}
		var events []string
		if events, over, err = d.scenario.advance(ctx, now); err != nil {
			return nil, err
		}
		for _, line := range events {
			view.event(now.at.Sub(d.scenario.began), line)
		}
		view.show(now)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err := d.supervisor.stop("scheduler", "worker"); err != nil {
		return nil, err
	}
	last, err := takeSnapshot(ctx, d.stores.conn, d.environment.sim)
	if err == nil {
		view.show(last)
	}
	return last, err
}

// clean ends what runs and removes what the demo made.
func (d *demo) clean(ctx context.Context, removeLogs bool) error {
	var faults []error
	if d.supervisor != nil {
		faults = append(faults, d.supervisor.stop("scheduler", "worker", "api"))
	}
	if d.environment != nil {
		faults = append(faults, d.environment.stop())
	}
	if d.stores != nil {
		faults = append(faults, d.stores.release(ctx))
	}
	if d.folder != "" && removeLogs {
		faults = append(faults, os.RemoveAll(d.folder))
	}
	return errors.Join(faults...)
}

func (d *demo) print(text string) error {
	_, err := io.WriteString(d.out, text)
	return err
}
