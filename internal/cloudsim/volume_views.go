package cloudsim

import (
	"encoding/json"
)

// none is a field whose value is null, unlike a field that is missing.
var none = func() *json.RawMessage { m := json.RawMessage("null"); return &m }()

type attachmentView struct {
	ID           string  `json:"id"`
	AttachmentID string  `json:"attachment_id"`
	VolumeID     string  `json:"volume_id"`
	ServerID     string  `json:"server_id"`
	HostName     *string `json:"host_name"`
	Device       string  `json:"device"`
	AttachedAt   *string `json:"attached_at"`
}

// volumeView is a volume with all fields. The optional ones depend on the microversion and on whether the user is an admin.
type volumeView struct {
	ID               string            `json:"id"`
	Status           string            `json:"status"`
	Size             int               `json:"size"`
	AvailabilityZone string            `json:"availability_zone"`
	CreatedAt        *string           `json:"created_at"`
	UpdatedAt        *string           `json:"updated_at"`
	Name             *string           `json:"name"`
	Description      *string           `json:"description"`
	VolumeType       string            `json:"volume_type"`
	SnapshotID       *string           `json:"snapshot_id"`
	SourceVolID      *string           `json:"source_volid"`
	Metadata         map[string]string `json:"metadata"`
	Links            []link            `json:"links"`
	UserID           string            `json:"user_id"`
	Bootable         string            `json:"bootable"`
	Encrypted        bool              `json:"encrypted"`
	Replication      *string           `json:"replication_status"`
	ConsistencyGroup *string           `json:"consistencygroup_id"`
	Multiattach      bool              `json:"multiattach"`
	Attachments      []attachmentView  `json:"attachments"`
	MigrationStatus  *json.RawMessage  `json:"migration_status,omitempty"`
	GroupID          *json.RawMessage  `json:"group_id,omitempty"`
	ProviderID       *json.RawMessage  `json:"provider_id,omitempty"`
	SharedTargets    *bool             `json:"shared_targets,omitempty"`
	ServiceUUID      *json.RawMessage  `json:"service_uuid,omitempty"`
	ClusterName      *json.RawMessage  `json:"cluster_name,omitempty"`
	VolumeTypeID     *string           `json:"volume_type_id,omitempty"`
	EncryptionKeyID  *string           `json:"encryption_key_id,omitempty"`
	ConsumesQuota    *bool             `json:"consumes_quota,omitempty"`
	Tenant           *string           `json:"os-vol-tenant-attr:tenant_id,omitempty"`
	Migstat          *json.RawMessage  `json:"os-vol-mig-status-attr:migstat,omitempty"`
	NameID           *json.RawMessage  `json:"os-vol-mig-status-attr:name_id,omitempty"`
	Host             *string           `json:"os-vol-host-attr:host,omitempty"`
}

var host, backend = "cloudsim", "cloudsim@cloudsim#cloudsim"

func (c *Cloud) viewVolume(q *call, v *volume) volumeView {
	admin := q.admin
	out := volumeView{
		ID: v.ID, Status: v.Status, Size: v.Size, AvailabilityZone: v.Zone, CreatedAt: stamp(v.Created), UpdatedAt: stamp(v.Updated),
		Name: &v.Name, VolumeType: v.typeName(), Metadata: v.Metadata, Links: q.links("volumes", v.ID), UserID: v.User,
		Bootable: boolText(v.Bootable), Encrypted: v.Encrypted, Multiattach: v.Multiattach, Attachments: []attachmentView{},
		Tenant: &v.Project,
	}
	if v.Description != "" {
		out.Description = &v.Description
	}
	if out.Metadata == nil {
		out.Metadata = map[string]string{}
	}
	for _, a := range v.Attachments {
		view := attachmentView{v.ID, a.ID, v.ID, a.Server, nil, a.Device, stamp(a.At)}
		if admin {
			view.HostName = &host
		}
		out.Attachments = append(out.Attachments, view)
	}
	out.newer(q.minor, v, admin)
	if admin {
		out.MigrationStatus, out.Migstat, out.NameID, out.Host = none, none, none, &backend
		if v.migration != "" {
			body := json.RawMessage(quote(v.migration))
			out.MigrationStatus, out.Migstat = &body, &body
		}
	}
	return out
}

// newer adds the fields of later microversions.
func (out *volumeView) newer(minor int, v *volume, admin bool) {
	no, quota := false, !v.temporary
	if minor >= 13 {
		out.GroupID = none
	}
	if minor >= 21 && admin {
		out.ProviderID = none
	}
	if minor >= 48 {
		out.SharedTargets, out.ServiceUUID = &no, none
	}
	if minor >= 61 && admin {
		out.ClusterName = none
	}
	if minor >= 63 {
		id := v.typeID()
		out.VolumeTypeID = &id
	}
	if minor >= 64 && v.KeyID != "" {
		out.EncryptionKeyID = &v.KeyID
	}
	if minor >= 65 {
		out.ConsumesQuota = &quota
	}
}

const (
	defaultTypeID = "00000000-0000-4000-8000-00000000d0d0"
	luksTypeID    = "00000000-0000-4000-8000-00000000d0d1"
)

func (v *volume) typeName() string {
	if v.Encrypted {
		return luksType
	}
	return defaultType
}

func (v *volume) typeID() string {
	if v.Encrypted {
		return luksTypeID
	}
	return defaultTypeID
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

func listTypes(_ *Cloud, _ *call) response {
	entry := func(id, name string) map[string]any {
		return map[string]any{
			"id": id, "name": name, "is_public": true, "description": nil, "extra_specs": struct{}{},
			"qos_specs_id": nil, "os-volume-type-access:is_public": true,
		}
	}
	return ok(map[string]any{"volume_types": []any{entry(defaultTypeID, defaultType), entry(luksTypeID, luksType)}})
}
