package telemetry

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

func TestEmptyIDsAreNotLogged(t *testing.T) {
	var out bytes.Buffer
	log := zerolog.New(&out)
	log.Info().EmbedObject(IDs{RecordID: "r", VolumeID: "v", ProjectID: "p", BackupID: "b"}).Msg("all")
	log.Info().EmbedObject(IDs{VolumeID: "v"}).Str("reason", "x").Msg("one")
	log.Info().EmbedObject(IDs{}).Msg("none")
	log.Debug().Discard().EmbedObject(IDs{RecordID: "r"}).Msg("not written")
	var lines []string
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.TrimSpace(line))
	}
	require.Equal(t, []string{
		`{"level":"info","record_id":"r","volume_id":"v","project_id":"p","backup_id":"b","message":"all"}`,
		`{"level":"info","volume_id":"v","reason":"x","message":"one"}`,
		`{"level":"info","message":"none"}`,
	}, lines)
}
