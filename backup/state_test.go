package backup

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// meanings lists the properties of each state. A new state needs a line here: decide about each property.
var meanings = map[State]string{
	Planned:     "InProgress Unfinished MayBeInCinder",
	Creating:    "InProgress Unfinished MayBeInCinder Linked BeginsChain",
	Overdue:     "InProgress Unfinished MayBeInCinder Linked BeginsChain Stuck",
	Available:   "InCinder MayBeInCinder Linked BeginsChain Attempted AtRest",
	Deleting:    "InCinder MayBeInCinder Linked Attempted Removing Unfinished",
	Undeletable: "InCinder MayBeInCinder Linked BeginsChain Attempted Removing Unfinished Stuck",
	Lost:        "MayBeInCinder Linked BeginsChain Attempted Past Gone AtRest",
	Failed:      "Linked Attempted Past",
	Deleted:     "Attempted Past Gone",
	Withdrawn:   "Past",
}

func TestStateMeanings(t *testing.T) {
	require.Len(t, meanings, len(States))
	require.Len(t, transitions, len(States))
	for word, holds := range map[string]func(State) bool{
		"InProgress": State.InProgress, "Removing": State.Removing, "Unfinished": State.Unfinished, "InCinder": State.InCinder,
		"MayBeInCinder": State.MayBeInCinder, "Past": State.Past, "Gone": State.Gone, "Attempted": State.Attempted, "Stuck": State.Stuck,
		"Linked": State.Linked, "BeginsChain": State.BeginsChain, "AtRest": State.AtRest,
	} {
		for _, s := range States {
			require.Contains(t, meanings, s)
			words := strings.Fields(meanings[s])
			require.Equal(t, slices.Contains(words, word), holds(s), "%s %s", s, word)
		}
	}
}

// Each life cycle begins at planned and leads to an end. An end state is final, except for a removal that Cinder did
// not carry out.
func TestStateTransitions(t *testing.T) {
	reached := map[State]bool{Planned: true}
	for range States {
		for _, s := range States {
			for _, next := range States {
				reached[next] = reached[next] || reached[s] && s.CanBecome(next)
			}
		}
	}
	for _, s := range States {
		require.True(t, reached[s], "nothing leads to %s", s)
		require.False(t, s.CanBecome(s))
		require.False(t, Withdrawn.CanBecome(s) || State("").CanBecome(s))
		require.Equal(t, s == Available || s == Failed, Deleted.CanBecome(s))
		require.False(t, s.CanBecome(Planned), "no record is planned twice")
	}
	require.True(t, Planned.CanBecome(Creating))
	require.False(t, Planned.CanBecome(Available))
	require.True(t, Planned.CanBeFirst())
	require.True(t, Creating.CanBeFirst() && Lost.CanBeFirst(), "taken over")
	require.False(t, Overdue.CanBeFirst() || Deleting.CanBeFirst() || Undeletable.CanBeFirst() || Deleted.CanBeFirst() || Withdrawn.CanBeFirst())
}
