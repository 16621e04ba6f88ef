package openstack

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

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
	wish := map[string]any{
		"volume_id":   r.VolumeID,
		"name":        r.Name,
		"force":       true, // or volumes in use are refused
		"incremental": r.Kind == backup.Incremental,
	}
	if c.volumeMinor >= metadataMinor {
		wish["metadata"] = r.Tag.Metadata()
	} else { // an unknown property would be a 400
		wish["description"] = r.Tag.Description()
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
