package backup

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestForeignDependents(t *testing.T) {
	for history, want := range map[string]string{
		"F-9d I-8d I-7d":            "",
		"F-9d I-8d i-7d":            "b01 b02",
		"F-9d i-8d I-7d":            "b01", // the order shows that ours builds on theirs
		"F-9d f-8d i-7d":            "",    // theirs builds on theirs
		"f-9d I-8d":                 "",
		"f-9d I-8d i-7d":            "b02",
		"F-9d ie-8d":                "b01", // Cinder refuses the removal below one that failed, too
		"F-9d fe-8d":                "",
		"F-9d I-8d@B i-7d@B":        "b02",
		"F-9d I-8d i-7d F-3d I-2d":  "b01 b02",
		"F-9d I-8d F-3d I-2d i-1d ": "b03 b04",
	} {
		require.Equal(t, want, strings.Join(slices.Sorted(maps.Keys(ForeignDependents(links(t, history)))), " "), history)
	}
}

func TestRemovalReasonSeen(t *testing.T) {
	for name, c := range map[string]struct {
		state               State
		before              Reason
		foreign, dependents bool
		want                Reason
	}{
		"a foreign one builds on it":            {Available, "", true, true, ForeignDependent},
		"it does so since a refusal":            {Available, HasDependents, true, true, ForeignDependent},
		"none does any more":                    {Available, ForeignDependent, false, true, ""},
		"refused, and still with dependents":    {Available, HasDependents, false, true, HasDependents},
		"refused, and no longer with any":       {Available, HasDependents, false, false, ""},
		"refused for another reason":            {Available, DeletionRefused, false, false, DeletionRefused},
		"it is being removed":                   {Deleting, RetentionOver, true, true, RetentionOver},
		"a leftover that has no restore points": {Failed, HasDependents, false, false, HasDependents},
	} {
		require.Equal(t, c.want, Record{State: c.state, RemovalReason: c.before}.RemovalReasonSeen(c.foreign, c.dependents), name)
	}
}

// What a foreign backup builds on is kept with that reason, whether its retention is over or not, and what is below it
// too; no forecast promises a time.
func TestForecastPromisesNothingBelowForeignBackups(t *testing.T) {
	h := retentionInput(t, 1, "F-9d:1w I-8d:1w I-7d:3w F-3d:1w F-1d:1w")
	for _, why := range ForeignHolds() {
		h.Records[2].RemovalReason = why
		held := strings.ReplaceAll(" | b01:WHY b02:WHY b03:WHY ", "WHY", string(why))
		require.Equal(t, "b04+4d:expired"+held+"b05:restore_point_floor",
			formatForecast(h.Forecast(now, now.AddDate(0, 0, 60))))
		_, kept := h.Now(now)
		require.Equal(t, held[1:]+"b04:within_retention b05:restore_point_floor", formatForecast(nil, kept))
	}
}
