package web

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write openapi.json anew")

func TestTheDocumentIsCurrent(t *testing.T) {
	text, err := describe((&Window{}).operations())
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("openapi.json", text, 0o644))
		return
	}
	require.Equal(t, string(text), string(document), "make it anew: make generate")
}
