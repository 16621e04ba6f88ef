package tasks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

func stringsReader(s string) *strings.Reader { return strings.NewReader(s) }

func TestConnect_ParsesEveryPartOfURL(t *testing.T) {
	for url, want := range map[string]address{
		"redis://h":                       {scheme: plain, hosts: []string{"h:6379"}},
		"redis://:pw@h:6380/2":            {scheme: plain, hosts: []string{"h:6380"}, password: "pw", database: 2},
		"redis://user:p%40%2F%3Aw@[::1]/": {scheme: plain, hosts: []string{"[::1]:6379"}, user: "user", password: "p@/:w"},
		"rediss://u:pw@h/1?ca_file=/ca":   {scheme: secure, hosts: []string{"h:6379"}, user: "u", password: "pw", database: 1, tls: true, caFile: "/ca"},
		"redis-sentinel://user:pw@a,b:1/3?master=m&sentinel_username=su&sentinel_password=s%26p&tls=true": {
			scheme: sentinel, hosts: []string{"a:26379", "b:1"}, user: "user", password: "pw", database: 3, master: "m",
			sentinelUser: "su", sentinelPassword: "s&p", tls: true,
		},
		"redis-cluster://u:pw@h1,h2:7000": {scheme: cluster, hosts: []string{"h1:6379", "h2:7000"}, user: "u", password: "pw"},
	} {
		got, err := parse(url)
		require.NoError(t, err, url)
		require.Equal(t, want, got, url)
	}
}

func TestConnect_ErrorsNameAllowedFormsWithoutSecrets(t *testing.T) {
	for url, want := range map[string]string{
		"":                             "want redis://",
		"http://u:secret@h":            "want redis://",
		"u:secret@h":                   "want redis://",
		"redis://":                     "hosts",
		"redis://u:sec/ret@h":          "%2F",
		"redis://u:secret@h:port":      "hosts",
		"redis://u:%zzsecret@h":        "%2F",
		"redis://u:secret@h/zero":      "database",
		"redis://u:secret@a,b":         "hosts: want one",
		"redis://u:secret@h?db=1":      `option "db"`,
		"redis://u:secret@h?ca_file=":  `option "ca_file"`,
		"redis-sentinel://u:secret@a":  "option master: missing",
		"redis-cluster://u:secret@a/1": "a cluster has only 0",
		"redis-cluster://a?tls=secret": "option tls",
		"redis://u:secret@h?%zz":       "options",
	} {
		_, err := Connect(url)
		require.ErrorContains(t, err, want, url)
		require.NotContains(t, err.Error(), "sec", url)
	}
	require.ErrorContains(t, Config{RedisURL: "redis://h/x"}.Validate(), "REDIS_URL: database")
	require.NoError(t, Config{RedisURL: "redis://h"}.Validate())
}

func TestConnect_SchemeSelectsClientType(t *testing.T) {
	for url, want := range map[string]any{
		"redis://h":                            &redis.Client{},
		"redis-sentinel://h?master=m":          &redis.Client{},
		"redis-cluster://only-one-entry-point": &redis.ClusterClient{},
	} {
		rdb, err := Connect(url)
		require.NoError(t, err)
		require.IsType(t, want, rdb)
		require.NoError(t, rdb.Close())
		opt, err := ConnOpt(url)
		require.NoError(t, err)
		own, ok := opt.MakeRedisClient().(redis.UniversalClient)
		require.True(t, ok)
		require.IsType(t, want, own)
		require.NotSame(t, own, opt.MakeRedisClient(), "the caller that makes one closes it")
		require.NoError(t, own.Close())
	}
}

func TestConnect_RefusesMissingOrInvalidCAFile(t *testing.T) {
	_, err := Connect("rediss://h?ca_file=/nowhere/ca.pem")
	require.ErrorContains(t, err, "read ca_file: open /nowhere/ca.pem")
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, []byte("none"), 0o600))
	_, err = Connect("redis-cluster://h?ca_file=" + file)
	require.ErrorContains(t, err, "no certificate in it")
	_, err = ConnOpt("redis-cluster://h?ca_file=" + file)
	require.ErrorContains(t, err, "no certificate in it")
}

func TestCollector_ExportsQueuesWithAsynqMetricNames(t *testing.T) {
	q := newQueue(t)
	q.dispatch(Item{Kind: VolumePoll, VolumeID: "a"}, Item{Kind: VolumePoll, VolumeID: "b"})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(NewCollector(q.rdb))
	require.NoError(t, testutil.GatherAndCompare(registry, stringsReader(`
# HELP asynq_queue_size Tasks in the queue now, in all states but completed.
# TYPE asynq_queue_size gauge
asynq_queue_size{queue="volumes"} 2
# HELP asynq_tasks_enqueued_total Tasks in the queue now, by state.
# TYPE asynq_tasks_enqueued_total gauge
asynq_tasks_enqueued_total{queue="volumes",state="active"} 0
asynq_tasks_enqueued_total{queue="volumes",state="aggregating"} 0
asynq_tasks_enqueued_total{queue="volumes",state="archived"} 0
asynq_tasks_enqueued_total{queue="volumes",state="completed"} 0
asynq_tasks_enqueued_total{queue="volumes",state="pending"} 2
asynq_tasks_enqueued_total{queue="volumes",state="retry"} 0
asynq_tasks_enqueued_total{queue="volumes",state="scheduled"} 0
`), "asynq_queue_size", "asynq_tasks_enqueued_total"))
	count, err := testutil.GatherAndCount(registry)
	require.NoError(t, err)
	require.Equal(t, 13, count)
}

func TestCollector_WithoutRedisKeepsOtherMetrics(t *testing.T) {
	rdb, err := Connect("redis://127.0.0.1:1")
	require.NoError(t, err)
	defer func() { require.NoError(t, rdb.Close()) }()
	LogRedis(zerolog.Nop())
	registry := prometheus.NewRegistry()
	registry.MustRegister(NewCollector(rdb), prometheus.NewGauge(prometheus.GaugeOpts{Name: "other"}))
	families, err := registry.Gather()
	require.ErrorContains(t, err, "read queues")
	require.Len(t, families, 1)
}
