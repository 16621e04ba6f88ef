package openstack

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func sortStrings(s []string) { slices.Sort(s) }

func TestCinderTimesAreUTC(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 11, 22, 6, 27, 0, 0, time.UTC)
	for text, good := range map[string]bool{
		`"2026-11-22T06:27:00.000000"`: true,
		`"2026-11-22T06:27:00"`:        true,
		`"2026-11-22T06:27:00Z"`:       true,
		`"2026-11-22T07:27:00+01:00"`:  true,
		`"yesterday"`:                  false,
		`17`:                           false,
	} {
		var at cinderTime
		err := json.Unmarshal([]byte(text), &at)
		assert.Equal(t, good, err == nil, text)
		if good {
			assert.Equal(t, want, at.Time, text)
		}
	}
	var at cinderTime
	require.NoError(t, json.Unmarshal([]byte("null"), &at))
	assert.True(t, at.IsZero())
}

func TestMissingDataTimestampIsCreatedAt(t *testing.T) {
	t.Parallel()
	var b backupJSON
	require.NoError(t, json.Unmarshal([]byte(`{"id": "b", "created_at": "2026-11-22T06:27:00.000000", "data_timestamp": null, "name": null, "description": null, "metadata": null, "encryption_key_id": null}`), &b))
	v := b.backup("p")
	assert.Equal(t, v.CreatedAt, v.DataTimestamp)
	assert.False(t, v.DataTimestamp.IsZero())
	assert.False(t, v.Encrypted)
	assert.Equal(t, "p", v.ProjectID)
}

func TestMalformedPages(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `null`, `[]`, `{}`, `{"volumes": {}}`, `{"volumes": [], "volumes_links": 1}`, `{"volumes": [{"id": 1}]}`} {
		_, err := decodePage[volumeJSON]([]byte(body), "volumes")
		require.Error(t, err, body)
	}
	p, err := decodePage[volumeJSON]([]byte(`{"volumes": [{"id": "1"}], "volumes_links": [{"rel": "next", "href": "http://elsewhere"}]}`), "volumes")
	require.NoError(t, err)
	assert.True(t, p.more)
	assert.Len(t, p.items, 1)
}
