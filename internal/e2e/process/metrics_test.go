package process

import (
	"bytes"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit/private"
)

// What the built processes show on /metrics is on docs/metrics.md, in the sections of the process and with the type there, and promtool finds nothing
// in it but the names that are Asynq's.
func TestProcessesShowDocumentedMetrics(t *testing.T) {
	t.Parallel()
	promtool, err := private.FindPromtool()
	require.NoError(t, err)
	addresses := map[string]string{"scheduler": rig.FreeAddress(t), "worker": rig.FreeAddress(t), "api": rig.FreeAddress(t)}
	h := rig.NewDeployment(t, cloudsim.Options{BackupTime: cloudsim.Fixed(100 * time.Millisecond)}, map[string]string{
		"STAFFELN_API_LISTEN": rig.FreeAddress(t), "STAFFELN_API_METRICS_LISTEN": addresses["api"],
	})
	project := h.Sim.AddProject("acme")
	h.Sim.Attach(h.Sim.AddServer(project, "web", map[string]string{"__staffeln_backup": "true"}), h.Sim.AddVolume(project, "data", 1))
	for process, address := range addresses {
		if process != "api" {
			h.Env["STAFFELN_METRICS_LISTEN"] = address
		}
		rig.Launch(t, h.Env, process)
	}
	h.Eventually("the volume has a restore point", func() bool { return h.Count("state = 'available'") > 0 })

	documented := rig.DocumentedMetrics(t)
	for process, address := range addresses {
		text := ""
		h.Eventually(process+" shows the checks of its readiness", func() bool {
			var status int
			status, text = ask(t, http.MethodGet, "http://"+address+"/metrics", "")
			return status == http.StatusOK && strings.Contains(text, `staffeln_ready{check="database"} 1`)
		})
		for _, family := range regexp.MustCompile(`(?m)^# TYPE ([a-z_]+) ([a-z]+)$`).FindAllStringSubmatch(text, -1) {
			name, kind := family[1], family[2]
			if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") || strings.HasPrefix(name, "promhttp_") {
				continue
			}
			require.Contains(t, documented, name, "shown by the %s", process)
			assert.Equal(t, documented[name].Type, kind, "docs/metrics.md: type of %s", name)
			assert.Contains(t, documented[name].Processes, process, "docs/metrics.md: section of %s", name)
		}
		for _, sample := range regexp.MustCompile(`(?m)^([a-z_]+?)(?:_bucket|_sum|_count)?\{(.+)\} `).FindAllStringSubmatch(text, -1) {
			for _, label := range regexp.MustCompile(`([a-z]+)="([^"]*)"`).FindAllStringSubmatch(sample[2], -1) {
				if slices.Contains([]string{"check", "status", "run", "result", "state", "outcome", "kind", "judgement", "queue", "action"}, label[1]) {
					assert.Contains(t, documented[sample[1]].Row, "`"+label[2]+"`", "docs/metrics.md: a value of the label %s of %s", label[1], sample[1])
				}
			}
		}
		check := exec.CommandContext(t.Context(), promtool, "check", "metrics")
		check.Stdin = strings.NewReader(text)
		out, _ := check.CombinedOutput() // the exit code is that of the remaining lines, too
		for line := range bytes.Lines(out) {
			assert.Regexp(t, `^(asynq_tasks_enqueued_total|asynq_queue_paused_total|go_[a-z_]+) `, string(line), "promtool check metrics, %s", process)
		}
	}
}
