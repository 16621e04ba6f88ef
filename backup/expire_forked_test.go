package backup

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Cinder reports a dependent of a link, and the order of the links shows none: a chain forked where its newest link
// was in use.
func TestExpiredRetainsLinkWithDependentsInCinder(t *testing.T) {
	t.Parallel()
	removed := func(history string) (ids []string) {
		ls := links(t, history)
		ls[1].Depended = true
		removals, kept := Expired(now, Constraints{}, ls)
		for _, r := range removals {
			ids = append(ids, r.BackupID)
		}
		for _, k := range kept {
			if k.BackupID == "b02" {
				assert.Equal(t, DependentFirst, k.Reason)
			}
		}
		return ids
	}
	assert.Empty(t, removed("F-20d I-19d F-3d I-2d"), "the newest may depend on it")
	assert.Equal(t, []string{"b02"}, removed("F-20d I-19d F-3d I-2d@B"), "another project's can't")
	assert.Equal(t, []string{"b02"}, removed("F-20d I-19d F-3d"), "a full depends on nothing: the counter is wrong")
}

// Cinder's counter from before a link was removed is wrong afterwards: the forecast for operators removes the links
// one by one.
func TestExpiredChainIsRemovedLeafFirst(t *testing.T) {
	t.Parallel()
	ls := links(t, "F-20d I-19d I-18d F-3d I-2d")
	ls[0].Depended, ls[1].Depended, ls[3].Depended = true, true, true
	var order []string
	for {
		removals, _ := Expired(now, Constraints{}, ls)
		if len(removals) == 0 {
			break
		}
		require.Len(t, removals, 1)
		order = append(order, removals[0].BackupID)
		ls = Without(ls, removals[0].Link)
	}
	require.Equal(t, []string{"b03", "b02", "b01"}, order)
}
