package worker

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// Every meaning of a cloud error has a reason, and only three of them are not final.
func TestEveryCloudErrorMeaningHasReason(t *testing.T) {
	waits := map[backup.Meaning]bool{backup.MeansUnavailable: true, backup.MeansThrottled: true, backup.MeansUnauthorised: true}
	for _, m := range meanings(t) {
		why, final := reasonOf(&backup.CloudError{Meaning: m, Op: "create backup", Object: "volume v", RequestID: "req-1"})
		require.True(t, why.Reason.Known(), "%s has the reason %q", m, why.Reason)
		require.Equal(t, !waits[m], final, "%s", m)
		require.Contains(t, why.Text, "create backup volume v")
		require.Equal(t, "req-1", why.RequestID)
	}
	why, final := reasonOf(errors.New("something else"))
	require.Equal(t, backup.CinderUnavailable, why.Reason)
	require.False(t, final)
}

// meanings reads the constants of package backup, so that a new one can't be
// forgotten here.
func meanings(t *testing.T) []backup.Meaning {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../backup/fault.go", nil, 0)
	require.NoError(t, err)
	var all []backup.Meaning
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && strings.HasPrefix(spec.Names[0].Name, "Means") {
			literal, ok := spec.Values[0].(*ast.BasicLit)
			require.True(t, ok, spec.Names[0].Name)
			text, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			all = append(all, backup.Meaning(text))
		}
		return true
	})
	require.Greater(t, len(all), 10)
	return all
}

func TestBackOffGrowsAndObeysRetryAfter(t *testing.T) {
	w := Worker{Settings: backup.Settings{PollPeriod: backup.Duration(30 * time.Second)}}
	for attempts, want := range []time.Duration{30 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 16 * time.Minute} {
		require.Equal(t, want, w.backOff(attempts, 0), "after %d attempts", attempts)
	}
	require.Equal(t, time.Hour, w.backOff(1, time.Hour), "the cloud asked for more")
}
