package backup

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRecordTextHidesInternalAddresses(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		`create backup of v: unavailable: Post "http://10.0.0.5:8776/v3/p/backups": context deadline exceeded`:                     `create backup of v: unavailable: Post "(address)": context deadline exceeded`,
		`Get "https://cinder.inner.example.org:8776/v3/x?y=z": dial tcp 10.1.2.3:8776: connect: refused`:                           `Get "(address)": (address): connect: refused`,
		`dial tcp: lookup cinder.inner.example.org on [fd00::53]:53: no such host`:                                                 `dial tcp: (address) on (address): no such host`,
		`Unable to establish connection to http://127.0.0.1:9311/v1/secrets/2d84: HTTPConnectionPool(host='127.0.0.1', port=9311)`: `Unable to establish connection to (address) HTTPConnectionPool((address))`,
		`rbd://pool/image is away, mysql+pymysql://cinder:secret@db/cinder too`:                                                    `(address) is away, (address) too`,
		// Other text of Cinder is unchanged.
		`has_dependents (400): Invalid backup: Incremental backups exist for this backup. [req-4f63f42e-d4ab-447d-ab1d-8c9d0b9454ec]`: "",
		`Service not found for creating backup.`: "", `VolumeSizeExceedsAvailableQuota (413): 3 of 10, 12:30:45`: "", `backup a1b2: not_found (404)`: "",
	} {
		if want == "" {
			want = words
		}
		assert.Equal(t, want, WithoutAddresses(words))
	}
}
