package doctor

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDeleteCheckWithoutClientCertificateIsAWarning(t *testing.T) {
	for _, c := range []struct {
		check Check
		is    Severity
		text  string
	}{
		{Check{Required: true, Named: true, Verified: 7}, OK, "requests with one within a day: 7"},
		{Check{Verified: 7}, OK, "a client certificate is required"}, // the api runs with another environment
		{Check{}, Warning, "by this environment"},
		{Check{Unverified: 3}, Warning, "served 3 requests without"},
		{Check{Required: true, Named: true, Verified: 7, Unverified: 3}, Warning, "at least one api"},
	} {
		f := healthy()
		f.Check = c.check
		found := deleteCheck(f)
		require.Len(t, found, 1)
		require.Equal(t, c.is, found[0].Severity, "%+v", c.check)
		require.Contains(t, found[0].Text, c.text)
		require.Equal(t, c.is == OK, found[0].Do == "")
	}
	f := healthy()
	f.Check = Check{Required: true}
	require.Len(t, deleteCheck(f), 2, "no names: a finding, and no warning")
	f.Database.Fault = "away"
	require.Equal(t, Unknown, deleteCheck(f)[0].Severity)
}
