package doctor

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDoctorSaysWhenTheDeleteCheckIsOpenToEverybody(t *testing.T) {
	for _, c := range []struct {
		check Check
		is    Severity
		says  string
	}{
		{Check{Demanded: true, Named: true, Verified: 7}, OK, "questions of callers with one within a day: 7"},
		{Check{Verified: 7}, OK, "demands a client certificate"}, // the api's environment is another one
		{Check{}, Warning, "as far as this environment says"},
		{Check{Unverified: 3}, Warning, "answered 3 questions without"},
		{Check{Demanded: true, Named: true, Verified: 7, Unverified: 3}, Warning, "at some api"},
	} {
		f := healthy()
		f.Check = c.check
		found := deleteCheck(f)
		require.Len(t, found, 1)
		require.Equal(t, c.is, found[0].Severity, "%+v", c.check)
		require.Contains(t, found[0].Text, c.says)
		require.Equal(t, c.is == OK, found[0].Do == "")
	}
	f := healthy()
	f.Check = Check{Demanded: true}
	require.Len(t, deleteCheck(f), 2, "no names: said, and no warning")
	f.Database.Fault = "away"
	require.Equal(t, Unknown, deleteCheck(f)[0].Severity)
}
