package backup

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOutageOf(t *testing.T) {
	up, down := func(zone string) Service { return Service{"h", zone, true} }, func(zone string) Service { return Service{"h", zone, false} }
	for _, c := range []struct {
		name     string
		services []Service
		hit, not []string
	}{
		{"none known", nil, nil, []string{"a", ""}},
		{"all up", []Service{up("a"), up("b")}, nil, []string{"a", "b", "c"}},
		{"one of two in the zone is up", []Service{down("a"), up("a"), down("b"), up("b")}, nil, []string{"a", "b"}},
		{"one of two in the zone is down, the other order", []Service{up("a"), down("a")}, nil, []string{"a"}},
		{"a zone is down", []Service{down("a"), down("a"), up("b")}, []string{"a"}, []string{"b", "c"}},
		{"all are down", []Service{down("a"), down("b")}, []string{"a", "b", "c"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := OutageOf(c.services)
			for _, zone := range c.hit {
				assert.True(t, o.Hits(zone), zone)
			}
			for _, zone := range c.not {
				assert.False(t, o.Hits(zone), zone)
			}
		})
	}
}
