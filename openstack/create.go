package openstack

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/rs/zerolog"

	"staffeln/backup"
)

// CreateBackup asks Cinder for a backup of r's volume in r's project, with a token of that project. It returns the backup's
// ID as soon as Cinder accepts the request; the backup may still fail.
//
// It retries only if Cinder certainly did not execute the request. After an error with Unknown set, search for the backup by
// its tag before you request it again.
func (c *Cloud) CreateBackup(ctx context.Context, r backup.Request) (string, error) {
	what := request{op: "create backup", object: "of volume " + r.VolumeID, id: r.VolumeID}
	s, ask, err := c.cinderRequest(ctx, what, r.ProjectID, http.MethodPost, "/backups")
	if err != nil {
		return "", err
	}
	if err := s.mustBelongTo(r.ProjectID, ask); err != nil {
		return "", err
	}
	id, err := c.createAs(ctx, s, ask, r)
	var fault *backup.CloudError
	if !r.Plain && errors.As(err, &fault) && fault.Meaning == backup.MeansRefused && fault.Status == http.StatusBadRequest {
		// Cinder may have refused our texts, and a backup is more important than its texts.
		zerolog.Ctx(ctx).Info().Err(err).Str("volume_id", r.VolumeID).Str("record_id", r.Tag.Record).
			Msg("backup request refused, retrying with plain texts")
		r.Plain = true
		return c.createAs(ctx, s, ask, r)
	}
	return id, err
}

func (c *Cloud) createAs(ctx context.Context, s *scope, ask request, r backup.Request) (string, error) {
	fields := map[string]any{
		"volume_id":   r.VolumeID,
		"name":        r.Name,
		"force":       true, // otherwise Cinder refuses volumes in use
		"incremental": r.Kind == backup.Incremental,
	}
	if r.Plain {
		fields["name"] = r.PlainName()
	}
	// Below these microversions an unknown property would be a 400.
	if c.version.now() >= metadataMinor && !r.Plain {
		fields["metadata"], ask.needs = r.Tag.Metadata(), metadataMinor
	} else {
		fields["description"] = r.Tag.Description()
	}
	if r.Zone != "" && c.version.highest() >= zoneMinor { // a late backup is better than one in another availability zone
		fields["availability_zone"], ask.needs = r.Zone, zoneMinor
	}
	ask.body = map[string]any{"backup": fields}
	var response struct{ Backup struct{ ID string } }
	ask.decode = func(body []byte) error {
		if err := json.Unmarshal(body, &response); err != nil {
			return err
		}
		if response.Backup.ID == "" {
			return errors.New("the response has no backup ID")
		}
		return nil
	}
	if err := c.do(ctx, s, ask); err != nil {
		return "", err
	}
	return response.Backup.ID, nil
}
