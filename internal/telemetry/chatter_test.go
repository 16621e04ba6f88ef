package telemetry

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

func TestChatterLogsEndWhenKindStopsOccurring(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var out bytes.Buffer
	read := func() string { mu.Lock(); defer mu.Unlock(); return out.String() }
	c := NewChatter(zerolog.New(writer(func(p []byte) (int, error) { mu.Lock(); defer mu.Unlock(); return out.Write(p) })).Level(zerolog.InfoLevel), 50*time.Millisecond)
	m := Meaning{Begins: "away", Ends: "back", Detail: "start it"}
	for range 100 {
		c.Log(zerolog.WarnLevel, "redis", "connection refused", m)
	}
	require.Eventually(t, func() bool { return strings.Contains(read(), `"times":100,"message":"back"`) }, time.Minute, time.Millisecond)
	c.Log(zerolog.WarnLevel, "redis", "connection refused", m)
	require.Equal(t, 2, strings.Count(read(), `"message":"away"`), "a new occurrence is logged again")
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }
