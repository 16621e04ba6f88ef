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
			o := OutageOf(c.services, nil)
			for _, zone := range c.hit {
				assert.True(t, o.Hits(zone), zone)
			}
			for _, zone := range c.not {
				assert.False(t, o.Hits(zone), zone)
			}
		})
	}
}

func TestOutageOfAMappedZoneHitsTheVolumesThatItServes(t *testing.T) {
	by := Zones{"nova-2": "nova-1", "nova-3": "nova-4"}
	o := OutageOf([]Service{{"h", "nova-1", false}, {"h", "nova-2", true}, {"h", "nova-3", false}, {"h", "nova-4", true}}, by)
	assert.True(t, o.Hits("nova-1"), "its own service is down")
	assert.True(t, o.Hits("nova-2"), "the service that it is mapped to is down, regardless of its own zone")
	assert.False(t, o.Hits("nova-3"), "the service that it is mapped to is up")
	assert.False(t, o.Hits("nova-4"))
}

func TestRunningServicesLimitBackupsInProgress(t *testing.T) {
	for _, c := range []struct{ total, perService, up, want int }{
		{15, 15, 1, 15}, {40, 15, 1, 15}, {40, 15, 2, 30}, {10, 15, 2, 10}, {40, 0, 1, 40}, {0, 15, 1, 0}, {40, 15, 0, 40},
	} {
		assert.Equal(t, c.want, Outage{Up: c.up}.Cap(c.total, c.perService), "%+v", c)
	}
}
