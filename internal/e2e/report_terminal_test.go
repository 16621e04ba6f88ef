package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit/mailbox"
)

// A preview shows what would be reported, and changes nothing.
func TestReport_PreviewOnTheTerminal(t *testing.T) {
	t.Parallel()
	p := newReportEnvironment(t, toMembers)
	acme, globex := p.Sim.AddProject("acme"), p.Sim.AddProject("globex")
	_, _ = p.addNamed(acme, "web-1", "true", "data")
	_, cache := p.addNamed(globex, "app-1", "true", "cache")
	p.Advance(2*time.Hour, 30*time.Minute)
	p.Sim.SetVolumeStatus(cache[0], "error")
	p.Advance(time.Hour, 30*time.Minute)
	before := p.queryInt(`SELECT count(*) FROM records WHERE report_id IS NULL`)
	golden(t, "report-preview", p.terminal(0, "report", "preview"))

	env := p.settings()
	maps.Copy(env, p.Sim.OpenRC(p.CloudURL))
	out, code := rig.Output(t, env, "report", "preview", "--project", "globex", "--json")
	require.Zero(t, code, out)
	var held struct {
		Group    string
		Projects []struct {
			Name    string
			Backups struct{ Limit int } `json:"quota_backups"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &held), out)
	require.Equal(t, globex, held.Group)
	require.Len(t, held.Projects, 1)
	require.Equal(t, "globex", held.Projects[0].Name)
	require.Equal(t, 1000, held.Projects[0].Backups.Limit)
	var whole map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &whole))
	rig.RequireDocumented(t, p.terminal(0, "report", "preview", "--help"), whole)

	file := filepath.Join(t.TempDir(), "acme.html")
	require.Empty(t, p.terminal(0, "report", "preview", "--project", acme, "--html", file))
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(page), "All is well: ")
	require.NotContains(t, string(page), "globex")
	require.Contains(t, p.terminal(2, "report", "preview", "--project", "nowhere"), "read --project: nowhere:")
	require.Equal(t, before, p.queryInt(`SELECT count(*) FROM records WHERE report_id IS NULL`))
	require.Zero(t, p.queryInt(`SELECT (SELECT count(*) FROM reports) + (SELECT count(*) FROM report_groups)`))
}

// A test mail prints each step, and what to do if a step fails.
func TestReport_SendTestOnTheTerminal(t *testing.T) {
	t.Parallel()
	box := mailbox.Start(t, mailbox.Options{TLS: true, User: rig.Sender, Password: "secret"})
	env := map[string]string{
		"STAFFELN_SENDER_EMAIL": rig.Sender, "STAFFELN_SENDER_PWD": "secret", "STAFFELN_SMTP_SERVER": box.Address, "STAFFELN_SMTP_CA_FILE": box.CAFile,
	}
	with := func(change map[string]string) map[string]string {
		all := maps.Clone(env)
		maps.Copy(all, change)
		return all
	}
	out, code := rig.Output(t, env, "report", "send-test", "alice@acme.example")
	require.Zero(t, code, out)
	golden(t, "report-send-test", stable(box, out))
	require.Len(t, box.To("alice@acme.example"), 1)
	box.Refuse("gone@acme.example", true)
	for name, c := range map[string]struct {
		change map[string]string
		to     string
		code   int
		words  []string
	}{
		"refused":        {nil, "gone@acme.example", 1, []string{"550", "no such user here"}},
		"wrong password": {map[string]string{"STAFFELN_SENDER_PWD": "wrong"}, "alice@acme.example", 1, []string{"535", "application password"}},
		"unknown CA":     {map[string]string{"STAFFELN_SMTP_CA_FILE": ""}, "alice@acme.example", 1, []string{"STAFFELN_SMTP_CA_FILE"}},
		"nobody listens": {map[string]string{"STAFFELN_SMTP_SERVER": "127.0.0.1:1"}, "alice@acme.example", 1, []string{"check STAFFELN_SMTP_SERVER"}},
		"no address":     {nil, "alice", 1, []string{"want an address such as"}},
		"no sender":      {map[string]string{"STAFFELN_SENDER_EMAIL": ""}, "alice@acme.example", 2, []string{"STAFFELN_SENDER_EMAIL: missing"}},
		"in the open":    {map[string]string{"STAFFELN_SMTP_TLS": "none"}, "alice@acme.example", 2, []string{"STAFFELN_SMTP_TLS: none: want required or implicit"}},
		"bad receivers":  {map[string]string{"STAFFELN_RECEIVER": "a@b.example,c d"}, "alice@acme.example", 2, []string{`STAFFELN_RECEIVER: "c d": want an address`}},
		"bad operator":   {map[string]string{"STAFFELN_OPERATOR_RECEIVER": "a@b.example,c d"}, "alice@acme.example", 2, []string{`STAFFELN_OPERATOR_RECEIVER: "c d": want an address`}},
	} {
		t.Run(name, func(t *testing.T) {
			out, code := rig.Output(t, with(c.change), "report", "send-test", c.to)
			require.Equal(t, c.code, code, out)
			for _, word := range c.words {
				require.Contains(t, out, word)
			}
			require.NotContains(t, out, "secret")
		})
	}
}

// stable removes what differs from run to run.
func stable(box *mailbox.Server, out string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(out, box.Address, "127.0.0.1:587"), "\n") {
		switch {
		case strings.Contains(line, "EHLO"):
			line = "  we:     EHLO localhost"
		case strings.Contains(line, "Hello"):
			line = "  server: 250 Hello localhost"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
