package backup

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The status of a link is Cinder's, unless our record is more precise.
func TestLinkOfStatus(t *testing.T) {
	for name, c := range map[string]struct {
		record    string // a symbol of the notation; empty: foreign
		cancelled bool
		cinder    Status
		want      Status
	}{
		"foreign":                                  {"", false, StatusAvailable, StatusAvailable},
		"a restore point":                          {"F", false, StatusAvailable, StatusAvailable},
		"a restore point that has an error now":    {"F", false, StatusError, StatusSpoilt},
		"its removal ended in an error":            {"Fd", false, StatusError, StatusError},
		"made, and we have not seen it":            {"Fc", false, StatusAvailable, StatusCreating},
		"failed":                                   {"Fe", false, StatusError, StatusError},
		"failed, and available after all":          {"Fe", false, StatusAvailable, StatusAvailable},
		"cancelled":                                {"Fe", true, StatusError, StatusError},
		"cancelled, and Cinder continues":          {"Fe", true, StatusCreating, StatusCreating},
		"cancelled, and available after all":       {"Fe", true, StatusAvailable, StatusError},
		"cancelled, its removal was asked for":     {"Fq", true, StatusAvailable, StatusError},
		"cancelled, its removal is under way":      {"Fq", true, StatusDeleting, StatusDeleting},
		"cancelled, its removal was given up":      {"Fu", true, StatusAvailable, StatusError},
		"cancelled, a tenant restores from it":     {"Fe", true, StatusRestoring, StatusRestoring},
		"a restore point isn't cancelled any more": {"F", true, StatusAvailable, StatusAvailable},
	} {
		t.Run(name, func(t *testing.T) {
			b := Backup{ID: "b01", ProjectID: "A", Status: c.cinder, SizeGiB: 10, DataTimestamp: now, CreatedAt: now}
			if c.record == "" {
				require.Equal(t, c.want, LinkOf(b, nil, Retention{}).Status)
				return
			}
			r := records(t, c.record+"-1h")[0]
			if c.cancelled {
				r.Reason = Cancelled
			}
			l := LinkOf(b, &r, Retention{})
			require.Equal(t, c.want, l.Status)
			require.Equal(t, period("2w3d"), l.Retention, "its own, where the volume has none")
		})
	}
}

// A cancelled backup is removed like the leftover of a failed one, regardless of the floor, also if the request for
// its removal never reached Cinder.
func TestCancelledBackupIsRemovedAsLeftover(t *testing.T) {
	for _, symbol := range []string{"Ie", "Iq", "Iu"} {
		rs := records(t, "F-2h "+symbol+"-1h")
		rs[1].Reason = Cancelled
		var ls []Link
		for i, incremental := range []bool{false, true} {
			b := Backup{ID: rs[i].BackupID, ProjectID: "A", Incremental: incremental, Status: StatusAvailable, DataTimestamp: rs[i].PlannedAt}
			ls = append(ls, LinkOf(b, &rs[i], Retention{Owner: "A", InForce: period("1y")}))
		}
		removals, kept := Expired(now, Constraints{Floor: 3}, ls)
		require.Equal(t, []Removal{{ls[1], FailedLeftover}}, removals, symbol)
		require.Equal(t, []Kept{{Link: ls[0], Reason: Floor}}, kept, symbol)
	}
}
