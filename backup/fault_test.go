package backup

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCloudErrorMessage(t *testing.T) {
	for want, e := range map[string]CloudError{
		"create backup volume v: quota_exceeded (413): no more [req-1]": {
			Meaning: MeansQuota, Op: "create backup", Object: "volume v", Status: 413, Message: "no more", RequestID: "req-1", Err: io.EOF,
		},
		"list volumes project A: unavailable: EOF":        {Meaning: MeansUnavailable, Op: "list volumes", Object: "project A", Err: io.EOF},
		"delete backup backup b: not_found (404)":         {Meaning: MeansNotFound, Op: "delete backup", Object: "backup b", Status: 404},
		"read backup backup b: throttled (429) [req-2]":   {Meaning: MeansThrottled, Op: "read backup", Object: "backup b", Status: 429, RequestID: "req-2"},
		"delete backup backup b: has_dependents: they do": {Meaning: MeansHasDependents, Op: "delete backup", Object: "backup b", Message: "they do"},
	} {
		require.EqualError(t, &e, want)
	}
}

func TestMeans(t *testing.T) {
	err := fmt.Errorf("back up volume v: %w", &CloudError{Meaning: MeansNoParent, Err: io.ErrUnexpectedEOF})
	require.True(t, Means(err, MeansNoParent))
	require.False(t, Means(err, MeansQuota))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "the cause below can be found")
	require.False(t, Means(errors.New("no_usable_parent"), MeansNoParent))
	require.False(t, Means(nil, MeansNoParent))
}
