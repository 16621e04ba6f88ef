package backup

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var keys = Keys{Backup: "back-up", Retention: "keep"}

// server parses `s1 back-up=true keep=2w`; `_` in a value is a space.
func server(s string) Server {
	words := strings.Fields(s)
	sv := Server{ID: words[0], Name: "n-" + words[0], ProjectID: "A", Metadata: map[string]string{}}
	for _, w := range words[1:] {
		k, v, _ := strings.Cut(w, "=")
		sv.Metadata[k] = strings.ReplaceAll(v, "_", " ")
	}
	return sv
}

// fresh is the state of a volume that no plan saw before.
func fresh(Volume) Before { return Before{} }

// protect runs Protect for one volume v, attached to these servers.
func protect(keys Keys, attached string, servers ...string) View {
	inv := Inventory{Volumes: []Volume{{ID: "v", Servers: strings.Fields(attached)}}}
	for _, s := range servers {
		inv.Servers = append(inv.Servers, server(s))
	}
	return Protect(inv, keys, fresh, CloudResponses{})
}

func TestProtectByMetadata(t *testing.T) {
	for value, protected := range map[string]bool{
		"true": true, "TRUE": true, "True": true, "_true_": true, "__True": true,
		"false": false, "False": false, "_FALSE": false,
	} {
		view := protect(keys, "s1", "s1 back-up="+value)
		require.Len(t, view.Protected, map[bool]int{true: 1}[protected], "%q", value)
		require.Empty(t, view.Findings, "%q", value)
		require.Empty(t, view.Unknown)
	}
	for _, value := range []string{"", "yes", "1", "truee", "t", "on", "\"true\"", "tru_e"} {
		view := protect(keys, "s1", "s1 back-up="+value)
		require.Empty(t, view.Protected, "%q", value)
		require.Len(t, view.Findings, 1, "%q", value)
		f := view.Findings[0]
		require.Equal(t, []any{BackupMetadataUnreadable, "A", "s1"}, []any{f.Reason, f.ProjectID, f.Object})
		require.Contains(t, f.Detail, "back-up is ")
	}
	require.Empty(t, protect(keys, "s1", "s1 Back-Up=true other=1").Protected, "keys are taken as they are written")
	require.Empty(t, protect(keys, "", "s1 back-up=true").Protected, "attached to nothing")
}

func TestProtectEveryServer(t *testing.T) {
	all := Keys{Retention: "keep"}
	for _, s := range []string{"s1", "s1 back-up=false", "s1 =false", "s1 =maybe"} {
		view := protect(all, "s1", s)
		require.Len(t, view.Protected, 1, s)
		require.Empty(t, view.Findings, s)
	}
	require.Empty(t, protect(all, "").Protected, "a volume without a server is nobody's wish")
}

func TestProtectUnknownServers(t *testing.T) {
	require.Equal(t, []string{"v"}, protect(keys, "s9").Unknown)
	require.Equal(t, []string{"v"}, protect(keys, "s9 s1", "s1 back-up=false").Unknown)
	view := protect(keys, "s9 s1", "s1 back-up=true")
	require.Empty(t, view.Unknown, "one server that asks is enough")
	require.Len(t, view.Protected, 1)
}

// A server that Nova did not list may request more than the listed ones: the value in force remains, so that a failed
// listing can't shorten it.
func TestProtectUnknownServerShortensNothing(t *testing.T) {
	w := protect(keys, "s1 s9", "s1 back-up=true keep=1d").Protected[0]
	require.True(t, w.Unreadable)
	before := Retention{InForce: period("30d"), Source: FromMetadata}
	require.Equal(t, before, Retain(now, before, w, Bounds{Default: period("2w3d")}))
}

func TestProtectRetention(t *testing.T) {
	for _, c := range []struct {
		attached string
		want     string // empty if none was requested
		servers  string // separated by commas
	}{
		{"s1", "2w", "s1 back-up=true keep=2w"},
		{"s1", "2w", "s1 back-up=true keep=_2w_"},
		{"s1", "", "s1 back-up=true"},
		{"s1 s2", "1mon", "s1 back-up=true keep=1mon, s2 back-up=true keep=30d"},
		{"s2 s1", "1mon", "s1 back-up=true keep=30d, s2 back-up=true keep=1mon"},
		{"s1 s2", "1y", "s1 back-up=true keep=1y, s2 back-up=true keep=364d"},
		{"s1 s2", "2w", "s1 back-up=true keep=2w, s2 back-up=false keep=1y"},
		{"s1 s2", "2w", "s1 back-up=true keep=2w, s2 keep=1y"},
		{"s1 s2", "2w", "s1 back-up=true keep=2w, s2 back-up=true"},
		{"s1 s2", "2w", "s1 back-up=true keep=2w, s2 back-up=true keep=0s"},
	} {
		w := protect(keys, c.attached, strings.Split(c.servers, ",")...).Protected[0]
		require.False(t, w.Unreadable, c.servers)
		if c.want == "" {
			require.Nil(t, w.Retention, c.servers)
			continue
		}
		require.Equal(t, period(c.want), *w.Retention, c.servers)
	}
	require.Nil(t, protect(Keys{Backup: "back-up"}, "s1", "s1 back-up=true keep=2w").Protected[0].Retention, "no key, no wish")
}

// The finding does not stop other backups, and is for the tenant.
func TestProtectRetentionUnreadable(t *testing.T) {
	for _, value := range []string{"", "0s", "0d", "30", "30_days", "99999y", "-1d", "2D", "forever"} {
		view := protect(keys, "s1", "s1 back-up=true keep="+value)
		require.Len(t, view.Protected, 1, "%q", value)
		require.True(t, view.Protected[0].Unreadable, "%q", value)
		require.Nil(t, view.Protected[0].Retention)
		require.Len(t, view.Findings, 1)
		require.Equal(t, RetentionMetadataUnreadable, view.Findings[0].Reason)
	}
	long := protect(keys, "s1", "s1 back-up=true keep="+strings.Repeat("9", 5000)).Findings[0]
	require.Less(t, len(long.Detail), 200)
	require.Empty(t, protect(keys, "s1", "s1 back-up=false keep=forever").Findings, "no finding for a server that asks for nothing")
}

// A volume of several servers counts once, and is named after the same server at each plan.
func TestProtectMultiAttached(t *testing.T) {
	inv := Inventory{
		Servers: []Server{server("s3 back-up=true"), server("s2 back-up=true"), server("s1"), server("s4 back-up=maybe")},
		Volumes: []Volume{
			{ID: "v2", Servers: []string{"s3", "s1", "s2", "s2"}},
			{ID: "v1", Servers: []string{"s3"}},
			{ID: "v3", Servers: []string{"s1", "s4"}},
			{ID: "v5", Servers: []string{"s9"}},
			{ID: "v4", Servers: []string{"s8"}},
		},
	}
	view := Protect(inv, keys, fresh, CloudResponses{})
	require.Len(t, view.Protected, 2)
	require.Equal(t, []string{"v1", "s3", "v2", "s2"}, []string{
		view.Protected[0].Volume.ID, view.Protected[0].Server.ID, view.Protected[1].Volume.ID, view.Protected[1].Server.ID,
	})
	require.Equal(t, []string{"v4", "v5"}, view.Unknown)
	require.Len(t, view.Findings, 1, "one finding for each server, not for each volume")
}
