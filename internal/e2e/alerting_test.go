package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/alerting"
	"staffeln/internal/telemetry"
)

// outside is the receiver of heartbeats and findings.
type outside struct {
	t          *testing.T
	key        []byte
	status     int
	heartbeats int
	messages   []message
	ids        []string
}

// message is what a receiver reads, by docs/operations.md.
type message struct {
	Type, Installation string
	Data               struct{ New, Ended []reported }
}

type reported struct {
	Reason struct {
		Code    string
		MustAct string `json:"must_act"`
	}
	Object string
	Since  time.Time
}

func (o *outside) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.URL.Path == "/heartbeat" {
		o.heartbeats++
		w.WriteHeader(o.status)
		return
	}
	body, err := io.ReadAll(q.Body)
	assert.NoError(o.t, err)
	id := q.Header.Get("Webhook-Id")
	mac := hmac.New(sha256.New, o.key)
	_, _ = mac.Write([]byte(id + "." + q.Header.Get("Webhook-Timestamp") + "." + string(body)))
	assert.Equal(o.t, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), q.Header.Get("Webhook-Signature"))
	var m message
	assert.NoError(o.t, json.Unmarshal(body, &m))
	o.messages, o.ids = append(o.messages, m), append(o.ids, id)
	w.WriteHeader(o.status)
}

func (w *environment) alert(t *testing.T) (*outside, *alerting.Alerting) {
	t.Helper()
	o := &outside{t: t, key: []byte("0123456789abcdef0123456789abcdef"), status: http.StatusOK}
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	config := alerting.Receivers{HeartbeatURL: server.URL + "/heartbeat", WebhookURL: server.URL + "/hook?key=confidential", WebhookSecret: "whsec_" + base64.StdEncoding.EncodeToString(o.key)}
	require.NoError(t, config.Validate())
	return o, &alerting.Alerting{Receivers: config, DB: w.DB, Settings: w.Settings, Metrics: telemetry.NewMetrics(), Installation: w.Scheduler.Identity.Installation}
}

// Each finding is posted once when it is new and once when it has ended, also if the receiver refuses for a while.
func TestWebhookGetsEachFinding(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	o, a := w.alert(t)
	acme := w.Sim.AddProject("acme")
	server, _ := w.Protect(acme, "web-1", 1, w.Settings.RetentionMetadataKey, "forever")
	once := func() { a.Once(w.Ctx, w.Term) }
	once()
	require.Empty(t, o.messages, "nothing is known yet")

	w.Plan()
	o.status = http.StatusInternalServerError
	once()
	once()
	require.Len(t, o.messages, 1, "the pause after a refusal is kept")
	require.Contains(t, w.Logs.Lines()[len(w.Logs.Lines())-1], "the receiver of STAFFELN_WEBHOOK_URL responded 500")
	require.NotContains(t, w.Logs.Lines()[len(w.Logs.Lines())-1], "confidential")
	o.status = http.StatusOK
	w.Step(time.Minute)
	once()
	require.Len(t, o.messages, 2)
	require.Equal(t, o.ids[0], o.ids[1], "the same message")
	m := o.messages[1]
	require.Equal(t, "findings", m.Type)
	require.Equal(t, w.Scheduler.Identity.Installation, m.Installation)
	require.Len(t, m.Data.New, 1)
	require.Empty(t, m.Data.Ended)
	found := m.Data.New[0]
	require.Equal(t, string(backup.RetentionMetadataUnreadable), found.Reason.Code)
	require.Equal(t, server, found.Object)
	once()
	require.Len(t, o.messages, 2, "it is known")

	w.Sim.SetMetadata(server, w.Settings.RetentionMetadataKey, "30d")
	w.Step(6 * time.Hour)
	w.Plan()
	once()
	require.Len(t, o.messages, 3)
	require.Empty(t, o.messages[2].Data.New)
	require.Equal(t, []reported{found}, o.messages[2].Data.Ended)
	require.NotEqual(t, o.ids[1], o.ids[2])
}

// The heartbeat is requested each minute, and not while something prevents backups.
func TestHeartbeatIsWithheldWhileNothingIsBackedUp(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	o, a := w.alert(t)
	ping := func() bool {
		w.Step(time.Minute)
		w.Dispatch()
		before := o.heartbeats
		a.Once(w.Ctx, w.Term)
		a.Once(w.Ctx, w.Term)
		require.LessOrEqual(t, o.heartbeats, before+1, "at most one each minute")
		return o.heartbeats > before
	}
	require.True(t, ping(), "a new leader has time for its first plan")
	w.Plan()
	require.True(t, ping())

	w.Step(13 * time.Hour)
	require.False(t, ping(), "the plan is late")
	require.Contains(t, w.Logs.Lines()[len(w.Logs.Lines())-1], "withheld on purpose: the plan run is late")
	for range 10 {
		require.False(t, ping())
	}
	w.Plan()
	require.True(t, ping())

	w.Step(15 * time.Minute)
	a.Once(w.Ctx, w.Term)
	require.Contains(t, w.Logs.Lines()[len(w.Logs.Lines())-1], "the dispatch run is late")

	w.StopWorker()
	w.Dispatch()
	require.False(t, ping(), "no worker takes tasks")

	before := o.heartbeats
	w.Exec(`UPDATE leadership SET term = term + 1`)
	a.Once(w.Ctx, w.Term)
	require.Equal(t, before, o.heartbeats, "another scheduler leads")
}
