//go:build openstack

package lab

import (
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/quotasets"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/openstack"
)

// Reports read the members' addresses and the quotas from a real cloud. The test only reads. E2E_REPORT_MEMBERS sets the
// expected members, as project=address;address,... instead of the laboratory's.
func TestReportOnOpenStack(t *testing.T) {
	s := newLabRun(t).newTest(t, "report")
	expected := os.Getenv("E2E_REPORT_MEMBERS")
	if expected == "" {
		expected = "acme=alice@acme.example;amy@acme.example,globex=bob@globex.example,initech="
	}
	credentials, err := openstack.FromEnv(func(name string) string { return s.service[name] })
	require.NoError(t, err)
	var asked atomic.Int64 // requests to Keystone for users and assignments
	cloud, err := openstack.Connect(t.Context(), credentials, openstack.Config{
		RetryTimeout: backup.Duration(2 * time.Minute), MaxRetryInterval: backup.Duration(10 * time.Second), SecretRoles: []string{"admin"},
	}, openstack.WithObserver(func(_, route string, _ int, _ time.Duration) {
		if strings.HasSuffix(route, "/users") || strings.HasSuffix(route, "/role_assignments") || strings.HasSuffix(route, "/domains") {
			asked.Add(1)
		}
	}))
	require.NoError(t, err)
	seen, err := cloud.Observe(t.Context())
	require.NoError(t, err)
	for one := range strings.SplitSeq(expected, ",") {
		name, list, _ := strings.Cut(one, "=")
		i := slices.IndexFunc(seen.Projects, func(p backup.Project) bool { return p.Name == name })
		require.GreaterOrEqual(t, i, 0, "no project %s", name)
		id := seen.Projects[i].ID
		var want, got []string
		if list != "" {
			want = strings.Split(list, ";")
		}
		members, err := cloud.Members(t.Context(), id)
		require.NoError(t, err)
		for _, m := range members {
			got = append(got, m.Email)
		}
		require.ElementsMatch(t, want, got, name)

		backups, gigabytes, err := cloud.BackupQuota(t.Context(), id)
		require.NoError(t, err)
		cinder, err := quotasets.GetUsage(t.Context(), s.admin.volume, id).Extract()
		require.NoError(t, err)
		require.Equal(t, backup.Quota{Limit: cinder.Backups.Limit, InUse: cinder.Backups.InUse, Reserved: cinder.Backups.Reserved}, backups)
		require.Equal(t, backup.Quota{Limit: cinder.BackupGigabytes.Limit, InUse: cinder.BackupGigabytes.InUse, Reserved: cinder.BackupGigabytes.Reserved}, gigabytes)
		t.Logf("%s (%d calls to Keystone so far): %v, backups %+v, gigabytes %+v", name, asked.Load(), got, backups, gigabytes)
	}
}
