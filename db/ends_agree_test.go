package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// The finding computes the last expiry in SQL, the notice with [backup.LastExpiry].
func TestFindingAndNoticeAgreeOnTheLastExpiry(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"protected": false, "retention": "3 days"})
	h.record("old", point("b1", 2*24*hour))
	h.record("new", point("b2", 24*hour))
	h.insertProtectionEnd("v", "p", base.Add(-time.Hour), "metadata")
	_, err := h.run().Notify(h.ctx, hour)
	require.NoError(t, err)
	one := h.notices("p")[0]
	for _, grace := range []time.Duration{0, hour, 2*24*hour + hour, 2*24*hour + 2*hour, 9 * 24 * hour} {
		for _, floor := range []int{0, 1, 5} {
			h.exec(`DELETE FROM findings`)
			_, err := h.run().RecordEndedProtection(h.ctx, grace, floor, true)
			require.NoError(t, err)
			expiry := backup.LastExpiry(*one.LastEnd, one.Content.Since, floor, grace)
			assert.Contains(t, h.details()["protection_ended v p"], "is removed on "+expiry.UTC().Format("2006-01-02 15:04")+" UTC", "grace %s, floor %d", grace, floor)
		}
	}
}

// It is unknown when a restore point expires that has a tenant's incremental as a dependent.
func TestFindingGivesNoExpiryForForeignDependents(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"protected": false, "retention": "3 days"})
	kept := point("b1", 9*24*hour)
	kept["removal_reason"] = backup.ForeignDependent
	h.record("kept", kept)
	h.insertProtectionEnd("v", "p", base.Add(-time.Hour), "metadata")
	detail := func() string {
		_, err := h.run().RecordEndedProtection(h.ctx, hour, 1, true)
		require.NoError(t, err)
		return h.details()["protection_ended v p"]
	}
	const retained = "Restore points on which other incremental backups are based are kept as long as those."
	assert.Contains(t, detail(), retained)
	assert.NotContains(t, detail(), "is removed on")
	h.record("other", point("b2", 24*hour))
	assert.Contains(t, detail(), retained+" The last other one is removed on "+base.Add(2*24*hour).UTC().Format("2006-01-02 15:04")+" UTC unless")
}
