package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"staffeln/db"
	"staffeln/internal/config"
	"staffeln/internal/visible"
	"staffeln/openstack"
	"staffeln/view"
	"staffeln/view/report"
	"staffeln/worker"
)

func reportCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "report", Short: "Shows what the next report would contain, and tests the mail server.",
		Long:    "Shows what the next report would contain, and tests the mail server.\n\nIt reads no variables; the help of its commands lists theirs.",
		Example: "  staffeln report preview --project acme\n  staffeln report send-test alice@example.org",
		Args:    NoArguments, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(previewCommand(), sendTestCommand())
	return c
}

// previewConfig is what a preview needs: the scheduler's settings, and optionally the cloud, for quotas.
type previewConfig struct {
	config.Database
	config.Scheduler

	Openstack openstack.Config
}

type preview struct {
	project, html string
	json          bool
}

func previewCommand() *cobra.Command {
	var p preview
	c := &cobra.Command{
		Use: "preview", Short: "Shows the report as it would be sent now; it sends and records nothing.",
		Example: "  staffeln report preview\n  staffeln report preview --project acme --html acme.html\n  staffeln report preview --json | jq .projects[].failed",
		Args:    NoArguments,
	}
	c.Flags().StringVar(&p.project, "project", "", "report of one project, by ID or name; default: of all")
	c.Flags().StringVar(&p.html, "html", "", "write the HTML of the mail into this file; - is standard output")
	c.Flags().BoolVar(&p.json, "json", false, "write one JSON object")
	c.MarkFlagsMutuallyExclusive("html", "json")
	c.Long = c.Short + "\n\nIt only reads. It reads quotas from Cinder if OS_* or OS_CLOUD are set. Run it with the scheduler's environment:\n" +
		config.Listing(new(previewConfig), true) + "\n\nWith --json (times are RFC 3339 in UTC, what is not known is null or \"\", an empty list may be null):\n" + jsonHelp(view.Report{})
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg := new(previewConfig)
		if _, err := configure(cmd, cfg); err != nil {
			return err
		}
		r, err := p.read(cmd.Context(), cfg)
		if err != nil {
			return err
		}
		return p.write(cmd, r)
	}
	return c
}

func (p preview) read(ctx context.Context, cfg *previewConfig) (view.Report, error) {
	database, err := db.Open(ctx, cfg.DatabaseURL, nil)
	if err != nil {
		return view.Report{}, err
	}
	defer database.Close()
	var contents view.GatheredReport
	err = database.Snapshot(ctx, func(l *db.Snapshot) error {
		group := report.All
		if p.project != "" {
			of, err := l.Project(ctx, p.project)
			if several := new(db.AmbiguousError); errors.As(err, several) || errors.Is(err, db.ErrUnknownProject) {
				return UsageError{fmt.Errorf("read --project: %s: %w; use an ID that `staffeln backups --json` shows", p.project, err)}
			}
			if err != nil {
				return err
			}
			group = of.ID
		}
		before, err := l.ReportedBefore(ctx, group)
		if err == nil {
			contents, err = view.GatherReport(ctx, l, cfg.Settings, group, before)
		}
		return err
	})
	if err != nil {
		return view.Report{}, err
	}
	if os.Getenv("OS_AUTH_URL") == "" && os.Getenv("OS_CLOUD") == "" {
		for i := range contents.Report.Projects {
			contents.Report.Projects[i].QuotaFault = "No cloud is configured by OS_* or OS_CLOUD."
		}
		return contents.Report, nil
	}
	credentials, err := openstack.FromEnv(os.Getenv)
	if err != nil {
		return view.Report{}, UsageError{fmt.Errorf("read cloud credentials: no request was sent:\n%w", err)}
	}
	cloud, err := openstack.Connect(ctx, credentials, cfg.Openstack)
	if err != nil {
		return view.Report{}, err
	}
	worker.AddQuotas(ctx, cloud, &contents.Report)
	return contents.Report, nil
}

func (p preview) write(cmd *cobra.Command, r view.Report) error {
	text := []byte(r.Text())
	if len(r.Projects)+len(r.Findings) == 0 {
		text = []byte("The report would be empty: nothing has ended since the last one, nothing is late, and there are no findings.\n")
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
