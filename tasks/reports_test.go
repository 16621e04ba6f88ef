package tasks

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit"
)

// Reports have a queue and IDs of their own: one task for each group, separate from
// those of volumes. After a loss of Redis they are enqueued again from the table.
func TestReports_OneTaskPerGroup(t *testing.T) {
	q := newQueue(t)
	client, _ := q.newClient()
	items := []Item{{Kind: ReportSend, Group: "acme"}, {Kind: ReportSend, Group: "all"}, {Kind: VolumePoll, VolumeID: "acme", RecordID: "r"}}
	outcomes, err := client.Dispatch(t.Context(), items)
	require.NoError(t, err)
	require.Equal(t, "enqueued 3", outcomes.String())
	outcomes, err = client.Dispatch(t.Context(), items)
	require.NoError(t, err)
	require.Equal(t, "waiting 3", outcomes.String())
	require.NoError(t, q.rdb.FlushDB(t.Context()).Err())
	outcomes, err = client.Dispatch(t.Context(), items)
	require.NoError(t, err)
	require.Equal(t, "enqueued 3", outcomes.String())

	groups := make(chan string, 2)
	s := q.run(Handlers{Report: func(_ context.Context, r Report) error { groups <- r.Group; return nil }})
	require.ElementsMatch(t, []string{"acme", "all"}, []string{<-groups, <-groups})
	testkit.Eventually(t, "counted", soon, func() bool { return s.handled(t, "ok") })
	require.Equal(t, 1, q.size(), "that of the volume waits for its own handler")
	require.NoError(t, s.drain())
}

func TestReports_VolumeAndReportPayloadsAreDistinguished(t *testing.T) {
	item := Item{Kind: ReportSend, Group: "acme"}
	text, err := encode(item)
	require.NoError(t, err)
	require.JSONEq(t, `{"v":1,"group":"acme"}`, string(text))
	_, err = decode(text)
	require.EqualError(t, err, "decode task: no volume ID")
	text, err = encode(Item{Kind: VolumePoll, VolumeID: "v"})
	require.NoError(t, err)
	_, err = decodeReport(text)
	require.EqualError(t, err, "decode task: no group")
}
