package config

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPage_IsCurrent(t *testing.T) {
	held, err := os.ReadFile("../../docs/configuration.md")
	require.NoError(t, err)
	require.Equal(t, Page(), string(held), "run make generate")
	for _, v := range everyVariable() {
		require.Equal(t, 1, strings.Count(string(held), "| `"+v.name+"` |"), v.name)
	}
}
