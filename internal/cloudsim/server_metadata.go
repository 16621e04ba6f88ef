package cloudsim

import (
	"maps"
	"net/http"
)

func showMetadata(c *Cloud, q *call) response {
	s := c.visibleServer(q)
	if s == nil {
		return serverNotFound(q.vars["server"])
	}
	return ok(map[string]any{"metadata": s.Metadata})
}

// changeMetadata: PUT replaces all metadata, POST adds and changes keys.
func changeMetadata(replace bool) func(*Cloud, *call) response {
	return func(c *Cloud, q *call) response {
		var in map[string]string
		if a, good := q.decode("metadata", &in); !good {
			return a
		}
		s := c.visibleServer(q)
		if s == nil {
			return serverNotFound(q.vars["server"])
		}
		if replace {
			s.Metadata = map[string]string{}
		}
		maps.Copy(s.Metadata, in)
		c.touchServer(s)
		c.noteServer(s, "metadata")
		return ok(map[string]any{"metadata": s.Metadata})
	}
}

func metadataNotFound() response { return notFound("Metadata item was not found") }

func showMetadataItem(c *Cloud, q *call) response {
	s := c.visibleServer(q)
	if s == nil {
		return serverNotFound(q.vars["server"])
	}
	v, there := s.Metadata[q.vars["key"]]
	if !there {
		return metadataNotFound()
	}
	return ok(map[string]any{"meta": map[string]string{q.vars["key"]: v}})
}

func setMetadataItem(c *Cloud, q *call) response {
	var in map[string]string
	if a, good := q.decode("meta", &in); !good {
		return a
	}
	s := c.visibleServer(q)
	v, there := in[q.vars["key"]]
	switch {
	case s == nil:
		return serverNotFound(q.vars["server"])
	case !there:
		return badRequest("Request body and URI mismatch")
	}
	s.Metadata[q.vars["key"]] = v
	c.touchServer(s)
	c.noteServer(s, "metadata "+q.vars["key"])
	return ok(map[string]any{"meta": in})
}

func deleteMetadataItem(c *Cloud, q *call) response {
	s := c.visibleServer(q)
	if s == nil {
		return serverNotFound(q.vars["server"])
	}
	if _, there := s.Metadata[q.vars["key"]]; !there {
		return metadataNotFound()
	}
	delete(s.Metadata, q.vars["key"])
	c.touchServer(s)
	c.noteServer(s, "metadata "+q.vars["key"]+" deleted")
	return response{status: http.StatusNoContent}
}
