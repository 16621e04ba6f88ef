package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/spf13/cobra"

	"staffeln/db"
	"staffeln/internal/visible"
	"staffeln/openstack"
	"staffeln/view"
	"staffeln/view/report"
	"staffeln/worker"
)

func reportCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "report", Short: "Shows what the next report would tell, and tries the mail server out.",
		Long:    "Shows what the next report would tell, and tries the mail server out.\n\nBy itself it reads no variables; its commands say which they do.",
		Example: "  staffeln report preview --project acme\n  staffeln report send-test alice@example.org",
		Args:    noArguments, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(previewCommand(), sendTestCommand())
	return c
}

// previewConfig is what a preview reads: the scheduler's rules, and the cloud for quotas, where one is given.
type previewConfig struct {
	Database
	Scheduler

	Openstack openstack.Config
}

type preview struct {
	project, html string
	json          bool
}

func previewCommand() *cobra.Command {
	var p preview
	c := &cobra.Command{
		Use: "preview", Short: "Shows what a report would tell if it were made now; sends nothing and marks nothing as told.",
		Example: "  staffeln report preview\n  staffeln report preview --project acme --html acme.html\n  staffeln report preview --json | jq .projects[].failed",
		Args:    noArguments,
	}
	c.Flags().StringVar(&p.project, "project", "", "the report of one project, by ID or name; else that of all")
	c.Flags().StringVar(&p.html, "html", "", "write the mail's page into this file instead; - is standard output")
	c.Flags().BoolVar(&p.json, "json", false, "write one JSON object instead")
	c.MarkFlagsMutuallyExclusive("html", "json")
	d := describer{told: map[reflect.Type]bool{}}
	d.describe(reflect.TypeFor[report.Report](), "")
	c.Long = c.Short + "\n\nIt only reads. Quotas are read from Cinder where OS_* or OS_CLOUD name a cloud. Give it the scheduler's environment:\n" +
		listing(new(previewConfig), true) + "\n\nWith --json (times are RFC 3339 in UTC, what is not known is null or \"\", an empty list may be null):\n" + strings.TrimRight(d.String(), "\n")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		config := new(previewConfig)
		if err := load(os.Environ(), config); err != nil {
			return usageError{fmt.Errorf("read configuration: nothing was started:\n%w", err)}
		}
		seen, err := p.look(cmd.Context(), config)
		if err != nil {
			return err
		}
		return p.write(cmd, seen)
	}
	return c
}

func (p preview) look(ctx context.Context, config *previewConfig) (report.Report, error) {
	memory, err := db.Open(ctx, config.DatabaseURL, nil)
	if err != nil {
		return report.Report{}, err
	}
	defer memory.Close()
	var gathered view.GatheredReport
	err = memory.Look(ctx, func(l *db.Look) error {
		group := report.All
		if p.project != "" {
			of, err := l.Project(ctx, p.project)
			if several := new(db.AmbiguousError); errors.As(err, several) || errors.Is(err, db.ErrUnknownProject) {
				return usageError{fmt.Errorf("read --project: %s: %w; give the ID of one that `staffeln backups --json` shows", p.project, err)}
			}
			if err != nil {
				return err
			}
			group = of.ID
		}
		before, err := l.ReportedBefore(ctx, group)
		if err == nil {
			gathered, err = view.GatherReport(ctx, l, config.Settings, group, before)
		}
		return err
	})
	if err != nil {
		return report.Report{}, err
	}
	if os.Getenv("OS_AUTH_URL") == "" && os.Getenv("OS_CLOUD") == "" {
		for i := range gathered.Report.Projects {
			gathered.Report.Projects[i].QuotaFault = "No cloud is named by OS_* or OS_CLOUD."
		}
		return gathered.Report, nil
	}
	credentials, err := openstack.FromEnv(os.Getenv)
	if err != nil {
		return report.Report{}, usageError{fmt.Errorf("read cloud credentials: nothing was asked:\n%w", err)}
	}
	cloud, err := openstack.Connect(ctx, credentials, config.Openstack)
	if err != nil {
		return report.Report{}, err
	}
	worker.AddQuotas(ctx, cloud, &gathered.Report)
	return gathered.Report, nil
}

func (p preview) write(cmd *cobra.Command, r report.Report) error {
	text := []byte(r.Text())
	if len(r.Projects)+len(r.Findings) == 0 {
		text = []byte("Nothing to tell: nothing has ended since the last report, nothing is late, and there are no findings.\n")
	}
	var err error
	switch {
	case p.json:
		text, err = r.JSON()
	case p.html != "":
		var page string
		page, err = r.HTML()
		text = []byte(page)
	}
	if err != nil {
		return err
	}
	if p.html != "" && p.html != "-" {
		if err := os.WriteFile(p.html, text, 0o600); err != nil {
			return fmt.Errorf("write --html: %w", err)
		}
		return nil
	}
	out := cmd.OutOrStdout()
	if p.json {
		out = visible.JSON(out)
	}
	_, err = out.Write(text)
	return err
}
