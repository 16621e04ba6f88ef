package openstack

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/rs/zerolog"

	"staffeln/backup"
)

// CreateBackup asks Cinder for a backup of r's volume that belongs to r's
// project, with a token of that project, and returns its ID as soon as Cinder
// accepts. Nothing is known then about how it ends.
//
// It is asked again only where Cinder certainly did not execute it. An error
// with Unknown set means: look for the tag before you ask again.
func (c *Cloud) CreateBackup(ctx context.Context, r backup.Request) (string, error) {
	what := request{op: "create backup", object: "of volume " + r.VolumeID, id: r.VolumeID}
	s, ask, err := c.ask(ctx, what, r.ProjectID, http.MethodPost, "/backups")
	if err != nil {
		return "", err
	}
	if err := s.mustBelongTo(r.ProjectID, ask); err != nil {
		return "", err
	}
	id, err := c.createAs(ctx, s, ask, r)
	var fault *backup.CloudError
	if !r.Plain && errors.As(err, &fault) && fault.Meaning == backup.MeansRefused && fault.Status == http.StatusBadRequest {
		// Our texts may be what is refused, and no text is worth a backup.
		zerolog.Ctx(ctx).Info().Err(err).Str("volume_id", r.VolumeID).Str("record_id", r.Tag.Record).
			Msg("request for a backup refused, asked again with plain texts")
		r.Plain = true
		return c.createAs(ctx, s, ask, r)
	}
	return id, err
}

func (c *Cloud) createAs(ctx context.Context, s *scope, ask request, r backup.Request) (string, error) {
	wish := map[string]any{
		"volume_id":   r.VolumeID,
		"name":        r.Name,
		"force":       true, // or volumes in use are refused
		"incremental": r.Kind == backup.Incremental,
	}
	if r.Plain {
		wish["name"] = r.PlainName()
	}
	// Below these microversions an unknown property would be a 400.
	if c.version.now() >= metadataMinor && !r.Plain {
		wish["metadata"], ask.needs = r.Tag.Metadata(), metadataMinor
	} else {
		wish["description"] = r.Tag.Description()
	}
	if r.Zone != "" && c.version.highest() >= zoneMinor { // rather later than in another zone
		wish["availability_zone"], ask.needs = r.Zone, zoneMinor
	}
	ask.body = map[string]any{"backup": wish}
	var said struct{ Backup struct{ ID string } }
	ask.decode = func(body []byte) error {
		if err := json.Unmarshal(body, &said); err != nil {
			return err
		}
		if said.Backup.ID == "" {
			return errors.New("the answer has no backup ID")
		}
		return nil
	}
	if err := c.do(ctx, s, ask); err != nil {
		return "", err
	}
	return said.Backup.ID, nil
}
