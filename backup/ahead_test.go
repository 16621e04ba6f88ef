package backup

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAhead(t *testing.T) {
	daily := Policy{Period: 30 * time.Minute, Interval: 24 * time.Hour, Depth: 2}
	odd := Policy{Period: 30 * time.Minute, Interval: 100 * time.Minute, Depth: 2}
	each := Policy{Period: 30 * time.Minute, Depth: 2}
	healthy := Subject{Volume: Volume{ID: "v", ProjectID: "A", Status: "in-use", SizeGiB: 10}, Protected: true}
	wrong, unwanted, backingUp, changing := healthy, healthy, healthy, healthy
	wrong.Status, changing.Status, backingUp.Status, unwanted.Protected = "error", "maintenance", "backing-up", false
	for name, c := range map[string]struct {
		policy  Policy
		subject Subject
		history string
		want    string
	}{
		"due now":              {daily, healthy, "F-24h", "create incremental chain_continues"},
		"fresh":                {daily, healthy, "F-2d I-1h", "wait backup_is_fresh; +23h create incremental chain_continues"},
		"the chain is full":    {daily, healthy, "F-3d I-2d I-1h", "wait backup_is_fresh; +23h create full chain_complete"},
		"due between runs":     {odd, healthy, "F-1h", "wait backup_is_fresh; +1h create incremental chain_continues"},
		"failed":               {daily, healthy, "F-30h Fx-40min Fx-10min", "wait retry_later; +30min create incremental chain_continues"},
		"leftover":             {daily, healthy, "F-30h Ie-2h", "wait waits_for_leftover; +18h create full leftover_not_removed"},
		"in progress":          {daily, healthy, "F-24h Ic-10min", "wait backup_in_progress; if it ends well +23h30min create incremental chain_continues"},
		"in progress, no rest": {each, healthy, "Fc-10min", "wait backup_in_progress; if it ends well +30min create incremental chain_continues"},
		"in progress, at once": {daily, healthy, "F-72h Ic-25h", "wait backup_in_progress; if it ends well +30min create incremental chain_continues"},
		"backing up":           {daily, backingUp, "F-24h Ic-10min", "wait backup_in_progress; if it ends well +23h30min create incremental chain_continues"},
		"in a wrong status":    {daily, wrong, "F-30h Fs-1h", "wait volume_status"},
		"being changed":        {daily, changing, "F-30h Fs-1h", "wait volume_changing"},
		"not protected":        {daily, unwanted, "F-30h", "wait not_protected"},
	} {
		t.Run(name, func(t *testing.T) {
			d, ahead := Ahead(now, c.policy, c.subject, records(t, c.history))
			got := decided(d)
			if ahead != nil {
				got += "; "
				if ahead.EndsWell {
					got += "if it ends well "
				}
				got += fmt.Sprintf("+%s %s", Duration(ahead.ScheduledFor.Sub(now)), decided(ahead.Decision))
			}
			require.Equal(t, c.want, got)
		})
	}
}

func decided(d Decision) string {
	if d.Kind == "" {
		return fmt.Sprintf("%s %s", d.Action, d.Reason)
	}
	return fmt.Sprintf("%s %s %s", d.Action, d.Kind, d.Reason)
}
