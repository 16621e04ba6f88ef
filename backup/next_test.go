package backup

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The policy of most cases: hourly, a plan every ten minutes, F I I.
const hourly = "1h/10min depth 2"

func TestNextEndsUnwantedBackups(t *testing.T) {
	check(t, hourly, "gone", "wait volume_gone")
	check(t, hourly, "gone F-2h Ip-10min", "withdraw volume_gone")
	check(t, hourly, "gone unprotected Ip-10min", "withdraw volume_gone")
	check(t, hourly, "unprotected", "wait not_protected")
	check(t, hourly, "unprotected F-2h", "wait not_protected")
	check(t, hourly, "unprotected F-2h Ip-10min", "withdraw not_protected")
	// A request to Cinder is not taken back.
	check(t, hourly, "unprotected F-2h Ic-10min", "wait not_protected")
	check(t, hourly, "gone Fo-7h", "wait volume_gone")
}

func TestNextAfterTransfer(t *testing.T) {
	check(t, hourly, "project=B F-2h Ip-10min", "withdraw project_changed")
	check(t, hourly, "project=B F-2h Ic-10min", "wait project_changed")
	// Nothing of the former project counts: neither success, failure nor parent.
	check(t, hourly, "project=B F-2h I-10min", "full first_backup")
	check(t, hourly, "project=B F-2h Ie-0s", "full first_backup")
	check(t, hourly, "project=B F-5h F-2h@B I-20min", "incremental chain_continues")
	check(t, hourly, "project=B F-5h@B I-4h@B I-3h", "incremental chain_continues")
}

func TestNextOneAtATime(t *testing.T) {
	for _, history := range []string{"Fp-10min", "F-2h Ic-1h", "F-9h Io-8h", "F-2h Ip-0s", "F-2h Fe-1h Fc-10min"} {
		check(t, hourly, history, "wait backup_in_progress")
	}
	check(t, "0s/10min depth 0", "F-1h Fc-50min", "wait backup_in_progress")
	// This comes first: a status can't be recorded while a record is in progress.
	check(t, hourly, "status=backing-up F-2h Ic-10min", "wait backup_in_progress")
}

func TestNextFresh(t *testing.T) {
	check(t, hourly, "F-0s", "wait backup_is_fresh 1h")
	check(t, hourly, "F-50min", "wait backup_is_fresh 10min")
	check(t, hourly, "F-1h", "incremental chain_continues")
	check(t, hourly, "F-1h10min", "incremental chain_continues")
	check(t, hourly, "F-3h I-1h59s", "incremental chain_continues")
	// Ages count from grid time to grid time: a backup made late is still due an hour after its grid time.
	check(t, hourly, "F-50min1s", "incremental chain_continues")
	check(t, "30min/30min depth 2", "F-1s", "incremental chain_continues")
	check(t, "30min/30min depth 2", "F-0s", "wait backup_is_fresh 30min")
	// With an interval that is no multiple of the period, the backup waits for the next run.
	check(t, "45min/30min depth 2", "F-30min", "wait backup_is_fresh 15min")
	check(t, "45min/30min depth 2", "F-1h", "incremental chain_continues")
	// A backup that we removed was a success; one that others removed was not.
	check(t, hourly, "F-3h ID-30min", "wait backup_is_fresh 30min")
	check(t, hourly, "F-3h Id-30min", "wait backup_is_fresh 30min")
	check(t, hourly, "F-30min Fl-10min", "wait backup_is_fresh 30min")
	check(t, hourly, "Fl-30min", "full first_backup")
	check(t, hourly, "F-3h Fl-30min", "full! no_usable_parent")
	// Neither failures nor withdrawn records make it fresh.
	check(t, hourly, "F-1h Iw-10min", "incremental chain_continues")
	// Interval 0: a backup at every plan.
	check(t, "0s/10min depth 0", "F-0s", "full every_backup_full")
	check(t, "0s/10min depth 1", "F-10min", "incremental chain_continues")
	check(t, "0s/10min depth 1", "F-20min I-10min", "full chain_complete")
}

func TestNextVolumeStatus(t *testing.T) {
	check(t, hourly, "status=available", "full first_backup")
	check(t, hourly, "status=error", "fail volume_status")
	check(t, hourly, "status=error F-50min", "wait backup_is_fresh 10min")
	check(t, hourly, "status=error_extending F-1h", "fail volume_status")
	check(t, hourly, "status=error_backing-up F-1h", "fail volume_error_backing_up")
	check(t, hourly, "status=error_backing-up F-2h Is-1h", "wait volume_error_backing_up")
	check(t, hourly, "status=never-heard-of F-1h", "fail volume_status")
	// Recorded once, however long it lasts,
	check(t, hourly, "status=error F-2h Is-1h", "wait volume_status")
	check(t, hourly, "status=error F-900d Is-899d", "wait volume_status")
	check(t, hourly, "status=error F-9h Is-2h Is-10min", "wait volume_status")
	check(t, "0s/10min depth 2", "status=error F-2h Is-10min", "wait volume_status")
	// again if something else failed in between, because the status had been good,
	check(t, hourly, "status=error F-2h Ix-10min", "fail volume_status")
	check(t, hourly, "status=error F-3h Is-2h Ix-10min", "fail volume_status")
	check(t, hourly, "status=error F-3h Ix-2h Is-10min", "wait volume_status")
	// and only refusals since the last success count.
	check(t, hourly, "status=error Fs-2h F-1h", "fail volume_status")
	// The status is good again: a backup is due at once.
	check(t, hourly, "F-2h Is-10min", "incremental chain_continues")
	check(t, hourly, "Fs-0s", "full first_backup")
}

// A transitional status ends by itself: no backup, and no failure.
func TestNextWaitsForAVolumeThatIsBeingChanged(t *testing.T) {
	for _, status := range []string{
		"reserved", "attaching", "detaching", "maintenance", "retyping", "uploading", "extending",
		"restoring-backup", "creating", "downloading", "awaiting-transfer", "backing-up", "deleting",
	} {
		check(t, hourly, "status="+status+" F-2h", "wait volume_changing")
		check(t, hourly, "status="+status+" F-2h Is-1h", "wait volume_changing")
		check(t, hourly, "status="+status+" F-50min", "wait backup_is_fresh 10min")
	}
	s, history := subject(t, "F-2h")
	for _, status := range []string{"available", "in-use", "error"} {
		s.Status, s.Migration = status, "migrating"
		require.Equal(t, "wait volume_changing", formatDecision(Next(now, rule(t, hourly), s, records(t, history))))
	}
}

func TestNextRetriesLater(t *testing.T) {
	// One period, two, four, ... since the newest failure.
	check(t, hourly, "F-2h Ix-0s", "wait retry_later 10min")
	check(t, hourly, "F-2h Ix-10min", "incremental chain_continues")
	check(t, hourly, "F-2h Ix-30min Ix-10min", "wait retry_later 10min")
	check(t, hourly, "F-2h Ix-30min Ix-20min", "incremental chain_continues")
	check(t, hourly, "F-2h Ix-50min Ix-40min Ix-30min", "wait retry_later 10min")
	check(t, hourly, "F-2h Ix-50min Ix-45min Ix-40min", "incremental chain_continues")
	// at most the interval,
	check(t, hourly, "F-9h Ix-5h Ix-4h Ix-3h Ix-50min", "wait retry_later 10min")
	check(t, hourly, "F-9h Ix-5h Ix-4h Ix-3h Ix-2h Ix-2h Ix-2h Ix-1h", "incremental chain_continues")
	check(t, "0s/10min depth 2", "F-2h Ix-1h Ix-1h Ix-0s", "wait retry_later 10min")
	// also for the first backup; a success resets the failures before it.
	check(t, hourly, "Fx-0s", "wait retry_later 10min")
	check(t, hourly, "Fx-3h Fx-2h Fx-2h F-1h", "incremental chain_continues")
	check(t, "10min/10min depth 2", "Fx-3h Fx-2h Fx-2h F-10min", "incremental chain_continues")
}

// A leftover that is removed later changes its record's ChangedAt, not the time of the failure. Undeletable leftovers
// are tried again daily for ever.
func TestNextCountsRetryDelayFromEndOfFailure(t *testing.T) {
	check(t, hourly, "F-2h Ig-30min..1min", "incremental chain_continues")
	check(t, hourly, "Fg-3h..1min Fg-3h..1min Fg-3h..1min F-1h", "incremental chain_continues")
	check(t, hourly, "Fu-9h..0s Fu-9h..0s F-2h", "incremental chain_continues")

	r := records(t, "F-2h Ix-30min..0s")
	r[1].EndedAt = nil // unknown: the last change is used
	require.Equal(t, "wait retry_later 10min", formatDecision(Next(now, rule(t, hourly), defaultSubject(t), r)))
}

// After an exceeded quota the next attempt waits for hours, or until a removal frees some quota.
func TestNextWaitsAfterExceededQuota(t *testing.T) {
	check(t, hourly, "F-9h Ik-10min", "wait retry_later 5h50min")
	check(t, hourly, "F-9h Ik-6h", "incremental chain_continues")
	check(t, hourly, "F-9h Ik-5h Ix-1h", "incremental chain_continues")
	check(t, hourly, "F-9h Ix-5h Ik-1h", "wait retry_later 5h")
	check(t, hourly, "manual F-9h Ik-10min", "incremental chain_continues")
	check(t, hourly, "F-2h Fk-5h", "incremental chain_continues")
	// A longer delay is kept.
	check(t, "1d/10min depth 2", "F-9d Ik-8d Ik-8d Ik-8d Ik-8d Ik-8d Ik-8d Ik-8d Ik-8d Ik-7h", "wait retry_later 17h")

	s, rs := defaultSubject(t), records(t, "F-9h Ik-2h")
	for freed, want := range map[time.Duration]string{
		3 * time.Hour: "wait retry_later 4h", 2*time.Hour - time.Second: "wait retry_later 4h", time.Hour: "incremental chain_continues",
	} {
		s.QuotaFreed = new(now.Add(-freed))
		require.Equal(t, want, formatDecision(Next(now, rule(t, hourly), s, rs)), "freed %s ago", freed)
	}
	s.QuotaFreed = new(now)
	require.Equal(t, "wait retry_later 10min", formatDecision(Next(now, rule(t, hourly), s, records(t, "F-9h Ix-0s"))), "of a full quota alone")
}

func defaultSubject(t *testing.T) Subject { s, _ := subject(t, ""); return s }

func TestRetryDelayGrows(t *testing.T) {
	p := rule(t, "1h/10min depth 2")
	for n, minutes := range map[int]int{1: 10, 2: 20, 3: 40, 4: 60, 5: 60, 1000: 60} {
		require.Equal(t, time.Duration(minutes)*time.Minute, p.retryDelay(n), "%d failures", n)
	}
	require.Equal(t, time.Hour, Policy{Period: time.Hour, Interval: time.Minute}.retryDelay(9))
	require.Zero(t, Policy{}.retryDelay(9))
}

// Twin backups of one request have the same grid time and second; which of them sets the time of the success must not
// depend on the order of the records.
func TestNextOfTwinBackups(t *testing.T) {
	rs := records(t, "F-2h F-2h Ix-0s")
	rs[1].AvailableAt = new(now.Add(time.Hour))
	p, s := rule(t, hourly), defaultSubject(t)
	there := Next(now, p, s, rs)
	slices.Reverse(rs)
	require.Equal(t, there, Next(now, p, s, rs))
}
