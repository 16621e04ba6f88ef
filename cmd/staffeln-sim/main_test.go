package main

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"staffeln/cli"
)

// command runs a command line and returns what it printed.
func command(t *testing.T, args ...string) (output string, err error) {
	t.Helper()
	var out strings.Builder
	root := newRoot()
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestHelpAndExitCodes(t *testing.T) {
	for _, args := range [][]string{{"nonsense"}, {"cloudsim", "--nonsense"}, {"cloudsim", "--servers", "0"}, {"cloudsim", "--release", "rocky"}, {"demo"}} {
		require.Equal(t, cli.ExitUsage, cli.Run(t.Context(), newRoot(), args), args)
	}
	for _, c := range append([]*cobra.Command{newRoot()}, newRoot().Commands()...) {
		require.Regexp(t, `^[A-Z].*\.$`, c.Short)
		require.Contains(t, c.Example, "staffeln-sim ")
	}
	out, err := command(t, "demo", "--help")
	require.NoError(t, err)
	require.Contains(t, out, "STAFFELN_DATABASE_URL ")
}

func TestCloudsim_PrintsAnOpenrc(t *testing.T) {
	read, write := io.Pipe()
	root := newRoot()
	root.SetOut(write)
	root.SetErr(io.Discard)
	root.SetArgs([]string{"cloudsim", "--listen", "127.0.0.1:0", "--servers", "1"})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		err := root.ExecuteContext(ctx)
		_ = write.Close() // closing a pipe cannot fail
		ended <- err
	}()
	var text strings.Builder
	line := make([]byte, 256)
	for !strings.Contains(text.String(), "OS_REGION_NAME") {
		n, err := read.Read(line)
		require.NoError(t, err, text.String())
		text.Write(line[:n])
	}
	url := regexp.MustCompile(`(?m)^export OS_AUTH_URL=(http://127\.0\.0\.1:\d+/\S+)$`).FindStringSubmatch(text.String())
	require.NotNil(t, url, text.String())
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url[1], http.NoBody)
	require.NoError(t, err)
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	cancel()
	require.NoError(t, <-ended)
}
