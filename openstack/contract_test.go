package openstack

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func (e *env) create(t *testing.T, volume string, kind backup.Kind) (string, error) {
	t.Helper()
	return e.cloud.CreateBackup(t.Context(), backup.Request{
		ProjectID: e.home, VolumeID: volume, Name: e.client.prefix + "-backup", Kind: kind, Tag: e.tag,
	})
}

// createAvailable creates a backup and waits until it is available.
func (e *env) createAvailable(t *testing.T, volume string, kind backup.Kind) backup.Backup {
	t.Helper()
	id, err := e.create(t, volume, kind)
	require.NoError(t, err)
	return e.untilStatus(t, id, backup.StatusAvailable)
}

func (e *env) untilStatus(t *testing.T, id string, status backup.Status) backup.Backup {
	t.Helper()
	var b backup.Backup
	e.client.until(t, "backup "+id+" "+string(status), func() bool {
		var err error
		b, err = e.cloud.Backup(t.Context(), e.home, id)
		require.NoError(t, err)
		require.False(t, b.Status == backup.StatusError && status != backup.StatusError, "backup %s failed: %s", id, b.FailReason)
		return b.Status == status
	})
	return b
}

func (e *env) untilGone(t *testing.T, id string) {
	t.Helper()
	e.client.until(t, "backup gone", func() bool {
		_, err := e.cloud.Backup(t.Context(), e.home, id)
		return backup.Means(err, backup.MeansNotFound)
	})
}

func requireMeaning(t *testing.T, want backup.Meaning, err error) {
	t.Helper()
	_ = requireFault(t, want, err) // tests that need the details call requireFault
}

func requireFault(t *testing.T, want backup.Meaning, err error) *backup.CloudError {
	t.Helper()
	var fault *backup.CloudError
	require.ErrorAs(t, err, &fault)
	require.Equal(t, want, fault.Meaning, "%v", err)
	return fault
}

func discovery(t *testing.T, e *env) {
	key := e.client.prefix + "_wish"
	volume := e.client.volume(t, e.home)
	server := e.client.server(t, e.home, volume, object{key: "true"})
	id, err := e.create(t, volume, backup.Full)
	require.NoError(t, err)

	// While the backup runs, Cinder's temporary volume is in the list too.
	for range 3 {
		seen, err := e.cloud.Observe(t.Context())
		require.NoError(t, err)
		assert.Empty(t, seen.Unseen)
		var s backup.Server
		for _, have := range seen.Servers {
			if have.ID == server {
				s = have
			}
		}
		assert.Equal(t, backup.Server{ID: server, Name: e.client.prefix + "-server", ProjectID: e.home, Status: "ACTIVE", Metadata: map[string]string{key: "true"}, Volumes: []string{volume}}, s)
		var v backup.Volume
		for _, have := range seen.Volumes {
			assert.NotEqual(t, "backup-vol-"+volume, have.Name)
			if have.ID == volume {
				v = have
			}
		}
		assert.NotEmpty(t, v.Zone)
		assert.Contains(t, []string{"in-use", "backing-up"}, v.Status)
		v.Zone, v.Status = "", ""
		assert.Equal(t, backup.Volume{ID: volume, Name: e.client.prefix + "-volume", ProjectID: e.home, SizeGiB: 1, Servers: []string{server}}, v)
		assert.Contains(t, seen.Projects, backup.Project{ID: e.home, Name: e.projectName(seen), DomainID: "default", Enabled: true})
		e.client.wait(t)
	}
	e.untilStatus(t, id, backup.StatusAvailable)
}

func (e *env) projectName(seen backup.Inventory) string {
	for _, p := range seen.Projects {
		if p.ID == e.home {
			return p.Name
		}
	}
	return "not seen"
}

func chainLifecycle(t *testing.T, e *env) {
	ctx := t.Context()
	volume := e.client.volume(t, e.home)
	full := e.createAvailable(t, volume, backup.Full)

	assert.Equal(t, e.client.prefix+"-backup", full.Name)
	assert.Equal(t, e.home, full.ProjectID, "a backup belongs to the project of the token")
	assert.Equal(t, volume, full.VolumeID)
	assert.Equal(t, e.cloud.UserID(), full.UserID)
	assert.Equal(t, e.tag, full.Tag())
	assert.Equal(t, 1, full.SizeGiB)
	assert.False(t, full.Incremental)
	assert.False(t, full.HasDependents)
	assert.False(t, full.Encrypted)
	assert.WithinDuration(t, e.now(), full.CreatedAt, 30*time.Minute, "Cinder gives no time zone: it is UTC")
	assert.False(t, full.UpdatedAt.Before(full.CreatedAt), "it is changed at the end of its creation: %s", full.UpdatedAt)
	assert.False(t, full.DataTimestamp.IsZero())

	e.client.wait(t) // otherwise both data timestamps may be in the same second, and either backup counts as the newest
	e.client.wait(t)
	leaf := e.createAvailable(t, volume, backup.Incremental)
	assert.True(t, leaf.Incremental)
	full, err := e.cloud.Backup(ctx, e.home, full.ID)
	require.NoError(t, err)
	assert.True(t, full.HasDependents)

	available, err := e.cloud.BackupsIn(ctx, backup.StatusAvailable)
	require.NoError(t, err)
	assert.Subset(t, ids(available), []string{full.ID, leaf.ID})
	errored, err := e.cloud.BackupsIn(ctx, backup.StatusError)
	require.NoError(t, err)
	assert.NotContains(t, ids(errored), full.ID)
	var all []backup.Backup
	require.NoError(t, e.cloud.AllBackups(ctx, func(page []backup.Backup) error { all = append(all, page...); return nil }))
	assert.Contains(t, all, full)
	assert.Contains(t, all, leaf)

	requireMeaning(t, backup.MeansHasDependents, e.cloud.DeleteBackup(ctx, full))
	require.NoError(t, e.cloud.DeleteBackup(ctx, leaf))
	e.untilGone(t, leaf.ID)
	require.NoError(t, e.cloud.DeleteBackup(ctx, full))
	e.untilGone(t, full.ID)
}

func ids(backups []backup.Backup) []string {
	var out []string
	for _, b := range backups {
		out = append(out, b.ID)
	}
	return out
}

func noParent(t *testing.T, e *env) {
	_, err := e.create(t, e.client.volume(t, e.home), backup.Incremental)
	fault := requireFault(t, backup.MeansNoParent, err)
	assert.False(t, fault.Unknown)
	assert.NotEmpty(t, fault.RequestID)
	assert.Equal(t, e.home, fault.ProjectID)
}

func backupInProgress(t *testing.T, e *env) {
	volume := e.client.volume(t, e.home)
	id, err := e.create(t, volume, backup.Full)
	require.NoError(t, err)
	_, err = e.create(t, volume, backup.Full)
	requireMeaning(t, backup.MeansVolumeState, err)
	requireMeaning(t, backup.MeansBackupState, e.cloud.DeleteBackup(t.Context(), backup.Backup{ID: id, ProjectID: e.home}))
	e.untilStatus(t, id, backup.StatusAvailable)
}

func notFound(t *testing.T, e *env) {
	const unknownID = "00000000-0000-4000-8000-000000000000"
	ctx := t.Context()
	_, err := e.cloud.Volume(ctx, e.home, unknownID)
	requireMeaning(t, backup.MeansNotFound, err)
	_, err = e.cloud.Backup(ctx, e.home, unknownID)
	requireMeaning(t, backup.MeansNotFound, err)
	_, err = e.create(t, unknownID, backup.Full)
	requireMeaning(t, backup.MeansNotFound, err)
	requireMeaning(t, backup.MeansNotFound, e.cloud.DeleteBackup(ctx, backup.Backup{ID: unknownID, ProjectID: e.home}))
	list, err := e.cloud.VolumeBackups(ctx, e.home, unknownID)
	require.NoError(t, err)
	assert.Empty(t, list)
}

func smallPages(t *testing.T, e *env) {
	ctx := t.Context()
	volume := e.client.volume(t, e.home)
	var want []string
	for range 3 {
		want = append(want, e.createAvailable(t, volume, backup.Full).ID)
	}
	defer func(size int) { e.cloud.pageSize = size }(e.cloud.pageSize)
	for _, size := range []int{1, 2, 3, 4} {
		e.cloud.pageSize = size
		list, err := e.cloud.VolumeBackups(ctx, e.home, volume)
		require.NoError(t, err)
		assert.ElementsMatch(t, want, ids(list), "pages of %d", size)
	}
	v, err := e.cloud.Volume(ctx, e.home, volume)
	require.NoError(t, err)
	assert.Equal(t, e.home, v.ProjectID)
	assert.Equal(t, "available", v.Status)
}

func wrongProject(t *testing.T, e *env) {
	ctx := t.Context()
	b := e.createAvailable(t, e.client.volume(t, e.home), backup.Full)
	stolen := b
	stolen.ProjectID = e.away
	for _, remove := range []func() error{
		func() error { return e.cloud.DeleteBackup(ctx, stolen) },
		func() error { return e.cloud.ForceDeleteBackup(ctx, stolen) },
		func() error { return e.cloud.ResetBackup(ctx, stolen, backup.StatusError) },
	} {
		err := remove()
		require.Error(t, err)
		// A token with the admin role finds the backup, and we refuse; another token does not find it.
		if !backup.Means(err, backup.MeansNotFound) {
			requireMeaning(t, backup.MeansRefused, err)
		}
	}
	homeless := b
	homeless.ProjectID = ""
	requireMeaning(t, backup.MeansRefused, e.cloud.DeleteBackup(ctx, homeless))
	is, err := e.cloud.Backup(ctx, e.home, b.ID)
	require.NoError(t, err)
	assert.Equal(t, b, is)
	list, err := e.cloud.VolumeBackups(ctx, e.away, b.VolumeID)
	require.NoError(t, err)
	assert.Empty(t, list, "the other project has no backup of it")
}

func erroredBlocks(t *testing.T, e *env) {
	ctx := t.Context()
	volume := e.client.volume(t, e.home)
	b := e.createAvailable(t, volume, backup.Full)
	seen := b
	require.NoError(t, e.cloud.ResetBackup(ctx, b, backup.StatusError))
	b = e.untilStatus(t, b.ID, backup.StatusError)
	_, err := e.create(t, volume, backup.Incremental)
	requireMeaning(t, backup.MeansNoParent, err)
	requireMeaning(t, backup.MeansRefused, e.cloud.ResetBackup(ctx, b, backup.StatusCreating))
	requireMeaning(t, backup.MeansBackupState, e.cloud.ResetBackup(ctx, seen, backup.StatusError)) // the status has changed since it was read
	require.NoError(t, e.cloud.DeleteBackup(ctx, b))
	e.untilGone(t, b.ID)
}

func force(t *testing.T, e *env) {
	b := e.createAvailable(t, e.client.volume(t, e.home), backup.Full)
	require.NoError(t, e.cloud.ForceDeleteBackup(t.Context(), b))
	e.untilGone(t, b.ID)
}

func projectGone(t *testing.T, e *env) {
	_, err := e.cloud.Volume(t.Context(), "0123456789abcdef0123456789abcdef", "00000000-0000-4000-8000-000000000000")
	requireMeaning(t, backup.MeansProjectGone, err)
}

func noRole(t *testing.T, e *env) {
	narrow := e.connect(t, e.client.user(t, "admin")) // in the admin project only, not inherited
	require.NoError(t, narrow.VerifyAdmin(t.Context()))
	project := e.client.project(t, "closed")
	_, err := narrow.VolumeBackups(t.Context(), project, "00000000-0000-4000-8000-000000000000")
	fault := requireFault(t, backup.MeansNoRole, err)
	assert.Equal(t, project, fault.ProjectID)
}

func notAdmin(t *testing.T, e *env) {
	ctx := t.Context()
	member := e.connect(t, e.client.user(t, "member"))
	requireMeaning(t, backup.MeansNotAdmin, member.VerifyAdmin(ctx))
	_, err := member.Observe(ctx)
	requireMeaning(t, backup.MeansNotAdmin, err)
	_, err = member.BackupsIn(ctx, backup.StatusAvailable)
	requireMeaning(t, backup.MeansNotAdmin, err)
	requireMeaning(t, backup.MeansNotAdmin, member.AllBackups(ctx, func([]backup.Backup) error { return nil }))
}

func overQuota(t *testing.T, e *env) {
	project := e.client.project(t, "poor")
	e.client.quota(t, project, 1)
	poor := *e
	poor.home = project
	volume := e.client.volume(t, project)
	b := poor.createAvailable(t, volume, backup.Full)
	assert.Equal(t, project, b.ProjectID)
	_, err := poor.create(t, volume, backup.Full)
	fault := requireFault(t, backup.MeansQuota, err)
	assert.Contains(t, fault.Message, "BackupLimitExceeded")
	assert.False(t, fault.Unknown)
}

func orphanPurged(t *testing.T, e *env) {
	ctx := t.Context()
	volume, project := e.client.orphan(t)
	home := *e
	home.home = project
	full := home.createAvailable(t, volume, backup.Full)
	e.client.wait(t)
	e.client.wait(t)
	leaf := home.createAvailable(t, volume, backup.Incremental)

	_, err := e.cloud.OrphanedProject(ctx, project)
	requireMeaning(t, backup.MeansRefused, err)
	at := e.client.keystone("/projects/" + project)
	e.client.must(ctx, t, e.cloud.AdminProjectID(), http.MethodPatch, at, object{"project": object{"enabled": false}})
	_, err = e.cloud.OrphanedProject(ctx, project)
	requireMeaning(t, backup.MeansRefused, err)
	e.client.must(ctx, t, e.cloud.AdminProjectID(), http.MethodDelete, at, nil)

	gone, err := e.cloud.Gone(ctx, []string{project, e.home})
	require.NoError(t, err)
	require.Equal(t, []string{project}, gone)
	orphan, err := e.cloud.OrphanedProject(ctx, project)
	require.NoError(t, err)
	list, err := orphan.VolumeBackups(ctx, project, volume)
	require.NoError(t, err)
	require.Equal(t, []string{full.ID, leaf.ID}, ids(list))
	requireMeaning(t, backup.MeansHasDependents, orphan.DeleteBackup(ctx, full))
	for _, b := range []backup.Backup{leaf, full} {
		require.NoError(t, orphan.DeleteBackup(ctx, b))
		e.client.until(t, "backup gone", func() bool {
			_, err := orphan.Backup(ctx, project, b.ID)
			return backup.Means(err, backup.MeansNotFound)
		})
	}
}
