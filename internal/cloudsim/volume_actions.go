package cloudsim

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// action returns the name and the argument of an action: the only property of the body.
func (q *call) action() (name string, argument json.RawMessage, found bool) {
	var in map[string]json.RawMessage
	if err := json.Unmarshal(q.body, &in); err != nil {
		return "", nil, false
	}
	for name, argument = range in {
		return name, argument, true
	}
	return "", nil, false
}

func noAction(name string) response {
	return badRequest("There is no such action: " + name + ". Verify the request body and Content-Type header and try again.")
}

func changeVolume(c *Cloud, q *call) response {
	name, argument, found := q.action()
	if !found {
		return badRequest("Malformed request body")
	}
	v := c.visibleVolume(q, q.vars["volume"])
	if v == nil {
		return volumeNotFound(q.vars["volume"])
	}
	switch name {
	case "os-extend":
		return c.extendVolume(v, argument)
	case "os-reset_status":
		var in struct {
			Status string `json:"status"`
		}
		switch {
		case !q.admin:
			return notAllowed("volume_extension:volume_admin_actions:reset_status")
		case json.Unmarshal(argument, &in) != nil || in.Status == "":
			return badRequest("Must specify 'status', 'attach_status' or 'migration_status' for update.")
		}
		c.setVolume(v, in.Status)
		return response{status: http.StatusAccepted}
	case "os-set_bootable":
		var in struct {
			Bootable any `json:"bootable"`
		}
		if json.Unmarshal(argument, &in) != nil {
			return badRequest("Malformed request body")
		}
		v.Bootable = isTrue(fmt.Sprint(in.Bootable))
		return response{status: http.StatusOK}
	}
	return noAction(name)
}

func (c *Cloud) extendVolume(v *volume, argument json.RawMessage) response {
	var in struct {
		NewSize int `json:"new_size"`
	}
	switch {
	case json.Unmarshal(argument, &in) != nil:
		return badRequest("Malformed request body")
	case v.Status != "available":
		return badRequest(fmt.Sprintf("Invalid volume: Volume %s status must be '{'status': 'available'}' to extend, currently %s.", v.ID, v.Status))
	case in.NewSize <= v.Size:
		return badRequest(fmt.Sprintf("Invalid input received: New size for extend must be greater than current size. (current: %d, extended: %d).", v.Size, in.NewSize))
	}
	c.setVolume(v, "extending")
	c.after(c.opt.VolumeTime, func() {
		if v.Status == "extending" {
			v.Size = in.NewSize
			c.setVolume(v, "available")
		}
	})
	return response{status: http.StatusAccepted}
}
