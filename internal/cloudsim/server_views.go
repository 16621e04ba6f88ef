package cloudsim

import (
	"encoding/json"
)

type attachedView struct {
	ID                  string `json:"id"`
	DeleteOnTermination *bool  `json:"delete_on_termination,omitempty"`
}

// serverView is a server with all fields except those that this cloud has no use for: addresses, keys, images.
type serverView struct {
	ID               string            `json:"id"`
	Name             string            `json:"name"`
	Status           string            `json:"status"`
	TenantID         string            `json:"tenant_id"`
	UserID           string            `json:"user_id"`
	Metadata         map[string]string `json:"metadata"`
	HostID           string            `json:"hostId"`
	Image            string            `json:"image"`
	Flavor           any               `json:"flavor"`
	Created          string            `json:"created"`
	Updated          string            `json:"updated"`
	Addresses        struct{}          `json:"addresses"`
	AccessIPv4       string            `json:"accessIPv4"`
	AccessIPv6       string            `json:"accessIPv6"`
	Links            []link            `json:"links"`
	DiskConfig       string            `json:"OS-DCF:diskConfig"`
	Progress         int               `json:"progress"`
	AvailabilityZone string            `json:"OS-EXT-AZ:availability_zone"`
	ConfigDrive      string            `json:"config_drive"`
	KeyName          *string           `json:"key_name"`
	LaunchedAt       *string           `json:"OS-SRV-USG:launched_at"`
	TerminatedAt     *string           `json:"OS-SRV-USG:terminated_at"`
	Host             *string           `json:"OS-EXT-SRV-ATTR:host,omitempty"`
	InstanceName     *string           `json:"OS-EXT-SRV-ATTR:instance_name,omitempty"`
	Hypervisor       *string           `json:"OS-EXT-SRV-ATTR:hypervisor_hostname,omitempty"`
	TaskState        *string           `json:"OS-EXT-STS:task_state"`
	VMState          string            `json:"OS-EXT-STS:vm_state"`
	PowerState       int               `json:"OS-EXT-STS:power_state"`
	Attached         []attachedView    `json:"os-extended-volumes:volumes_attached"`
	Locked           *bool             `json:"locked,omitempty"`
	Description      *json.RawMessage  `json:"description,omitempty"`
	Tags             []string          `json:"tags,omitzero"`
}

func (c *Cloud) viewServer(q *call, s *server) serverView {
	out := serverView{
		ID: s.ID, Name: s.Name, Status: s.Status, TenantID: s.Project, UserID: s.User, Metadata: s.Metadata, HostID: "simulated",
		Created: s.Created.Format(novaTime), Updated: s.Updated.Format(novaTime), Links: q.links("servers", s.ID), DiskConfig: "MANUAL",
		AvailabilityZone: s.Zone, LaunchedAt: stamp(s.Created), Attached: []attachedView{},
	}
	state := stateOf(s.Status)
	out.VMState, out.PowerState, out.TaskState = state.vm, state.power, orNull(state.task)
	if s.Status == "BUILD" {
		out.LaunchedAt = nil
	}
	out.Flavor = map[string]any{"id": flavor.id, "links": q.links("flavors", flavor.id)[1:]}
	if q.minor >= 47 {
		out.Flavor = map[string]any{"vcpus": 1, "ram": 64, "disk": 0, "ephemeral": 0, "swap": 0, "original_name": flavor.name, "extra_specs": struct{}{}}
	}
	for _, id := range s.Volumes {
		a := attachedView{ID: id}
		if q.minor >= 3 {
			with := s.deleteWith[id]
			a.DeleteOnTermination = &with
		}
		out.Attached = append(out.Attached, a)
	}
	if q.admin {
		name := "instance-" + s.ID[:8]
		out.Host, out.Hypervisor, out.InstanceName = &host, &host, &name
	}
	no := false
	if q.minor >= 9 {
		out.Locked = &no
	}
	if q.minor >= 19 {
		out.Description = none
	}
	if q.minor >= 26 {
		out.Tags = append([]string{}, s.Tags...)
	}
	return out
}
