package backup

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConstraintsOf(t *testing.T) {
	for _, c := range []struct {
		project   string
		protected bool
		history   string
		want      Constraints
	}{
		{"A", true, "F-2h", Constraints{Floor: 3}},
		{"A", false, "F-2h", Constraints{}},
		{"B", true, "F-2h", Constraints{}}, // links of an earlier owner
		{"A", true, "F-2h Ip-1h", Constraints{Floor: 3, Building: true}},
		{"A", true, "F-2h Fp-1h", Constraints{Floor: 3}},
		{"A", true, "F-2h Ic-1h", Constraints{Floor: 3}}, // the incremental is among the links
		{"A", true, "F-2h Ix-1h Iw-1h", Constraints{Floor: 3}},
		{"A", true, "F-2h Ip-1h@B", Constraints{Floor: 3}},
		{"B", false, "F-2h Ip-1h@B", Constraints{Floor: 0, Building: true}},
	} {
		got := ConstraintsOf(c.project, Guard{ProjectID: "A", Protected: c.protected, Floor: 3}, records(t, c.history))
		require.Equal(t, c.want, got, "%+v", c)
	}
}

// The creation was requested, but its response is unknown: the chain is not touched.
func TestConstraintsOfCreationWithoutResponse(t *testing.T) {
	rs := records(t, "F-2h Ic-1h")
	rs[1].BackupID = ""
	require.True(t, ConstraintsOf("A", Guard{ProjectID: "A", Protected: true, Floor: 1}, rs).Building)
}

func TestLinkOf(t *testing.T) {
	b := Backup{ID: "b01", ProjectID: "A", SizeGiB: 10, DataTimestamp: now, CreatedAt: now.Add(1), Status: StatusAvailable}
	foreign := Link{BackupID: "b01", ProjectID: "A", Kind: Full, SizeGiB: 10, DataTime: now, OrderTime: now, CreatedTime: now.Add(1), Status: StatusAvailable}
	require.Equal(t, foreign, LinkOf(b, nil, Retention{}))
	b.Incremental = true
	require.Equal(t, Incremental, LinkOf(b, nil, Retention{}).Kind)

	r := records(t, "I-1h:1w")[0]
	require.Equal(t, period("1w"), LinkOf(b, &r, Retention{}).Retention, "the record's own")
	require.Equal(t, period("4w"), LinkOf(b, &r, Retention{Owner: "A", InForce: period("4w")}).Retention, "the volume's in force")
	own, ok := r.Link(Retention{})
	require.True(t, ok)
	require.Equal(t, period("1w"), own.Retention)
	own, _ = r.Link(Retention{Owner: "A", InForce: period("4w")})
	require.Equal(t, period("4w"), own.Retention)

	// Record, Cinder's status, the link's status.
	for _, c := range []string{
		"I available available", "I restoring restoring", "I error spoilt", "Ie error error", "Iq error error", "Id error error",
		"Ic available creating", "Ic error creating", "Io error creating", "Il available available", "Iu error_deleting error_deleting",
	} {
		words := strings.Fields(c)
		r, b := records(t, words[0]+"-1h")[0], b
		b.Status = Status(words[1])
		require.Equal(t, Status(words[2]), LinkOf(b, &r, Retention{}).Status, c)
	}
}

// A former restore point in error is not removed as a leftover.
func TestExpiredRetainsFormerRestorePointInError(t *testing.T) {
	ls := links(t, "F-30d I-29d")
	ls[1].Status = StatusSpoilt
	removals, kept := Expired(now, Constraints{}, ls)
	require.Empty(t, removals)
	require.Equal(t, []Reason{StatusUnknown, KeptForDependent}, []Reason{kept[0].Reason, kept[1].Reason})
}
