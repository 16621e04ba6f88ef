package view

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// described returns the codes of waits that the description of a field names.
func described(t *testing.T, of any, field string) (codes []backup.WaitCode) {
	t.Helper()
	f, ok := reflect.TypeOf(of).FieldByName(field)
	require.True(t, ok, field)
	list, _, _ := strings.Cut(f.Tag.Get("desc"), ";")
	_, after, found := strings.Cut(list, ": ")
	if found {
		list = after
	}
	for word := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		if word != "or" {
			require.Contains(t, backup.WaitCodes(), backup.WaitCode(word), field)
			codes = append(codes, backup.WaitCode(word))
		}
	}
	return codes
}

// The descriptions name exactly the codes that the decisions return.
func TestDescriptionsNameTheCodesOfWaits(t *testing.T) {
	t.Parallel()
	ofRemovals := map[backup.WaitCode]bool{backup.WaitLink: true, backup.WaitRetention: true}
	others := slices.DeleteFunc(backup.WaitCodes(), func(c backup.WaitCode) bool { return ofRemovals[c] })
	assert.ElementsMatch(t, others, described(t, Wait{}, "For"))

	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	later := at.Add(1)
	removal := map[backup.WaitCode]bool{}
	for bits := range 1 << 8 {
		is := func(bit int) bool { return bits>>bit&1 == 1 }
		f := backup.RemovalFacts{Kept: is(0), Removing: is(1), Leads: is(2), QueueAway: is(3), NoWorker: is(4), Paused: is(5), Found: is(6)}
		if is(7) {
			f.NextTryAt = &later
		}
		removal[f.Wait(at)] = true
	}
	assert.ElementsMatch(t, keys(removal), described(t, RemovalWait{}, "Code"))

	held := map[backup.WaitCode]bool{backup.WaitScheduler: true}
	for _, h := range []backup.Held{
		"", backup.HeldByTotal, backup.HeldByProject, backup.HeldByZone, backup.HeldByForcedFulls, backup.HeldByPause,
		backup.Held(backup.WhileOutage), backup.Held(backup.WhileThrottle), backup.Held(backup.WhileAway), backup.Held(backup.WhileFailing),
	} {
		held[h.Wait()] = true
	}
	assert.ElementsMatch(t, keys(held), described(t, Backlog{}, "WaitsFor"))
}

func keys(of map[backup.WaitCode]bool) (all []backup.WaitCode) {
	for c := range of {
		all = append(all, c)
	}
	return all
}
