package backup_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func TestZonesTextRoundTrip(t *testing.T) {
	t.Parallel()
	var z backup.Zones
	require.NoError(t, z.UnmarshalText([]byte(" az-2 = az-1, az-3=az-1,")))
	require.Equal(t, "az-2=az-1,az-3=az-1", z.String())
	require.Equal(t, "az-1", z.Of("az-2"))
	require.Equal(t, "az-9", z.Of("az-9"))
	require.Empty(t, z.Mapped("az-9"))
	require.NoError(t, z.UnmarshalText(nil))
	require.Empty(t, z)
	for _, wrong := range []string{"az-2", "az-2=", "=az-1", "a=b,a=c"} {
		require.Error(t, z.UnmarshalText([]byte(wrong)), wrong)
	}
}
