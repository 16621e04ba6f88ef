package keyfile

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func file(t *testing.T, text string) string {
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func TestSecretDropsTrailingNewlines(t *testing.T) {
	for text, want := range map[string]string{"s": "s", "s\n": "s", "s\r\n": "s", "s\n\n": "s", "a\nb\n": "a\nb", "a b": "a b", "": ""} {
		got, err := Secret(file(t, text))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := Secret(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestCAsSkipsOtherBlocksAndRequiresCertificate(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	good := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	bad := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("no")})
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("no")})
	cas, err := CAs(file(t, string(key)+string(bad)+"text\n"+string(good)))
	require.NoError(t, err)
	require.Len(t, cas, 1)
	require.True(t, cas[0].Equal(server.Certificate()))
	for _, text := range []string{"", "text", string(bad)} {
		_, err = ClientTLS(file(t, text))
		require.ErrorContains(t, err, "no certificate in it")
	}
	config, err := ClientTLS("")
	require.NoError(t, err)
	require.Nil(t, config.RootCAs)
}
