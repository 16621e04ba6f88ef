package backup

// A Service is one cinder-backup process, as Cinder last heard of it.
type Service struct {
	Host, Zone string
	Up         bool // it reports, and is not disabled
}

// An Outage says where no cinder-backup is up: there Cinder accepts a request
// (202) and leaves it creating until one is.
type Outage struct {
	All   bool
	Zones map[string]bool // zones with services of their own, none of them up
	By    Zones           // which of them serves the volumes of another zone, by the setting
}

// OutageOf tells from all services where nothing can be made. No service at all
// is no outage: Cinder hides them from us, or names them otherwise. A volume's
// zone is served by the one that the setting maps it to.
func OutageOf(services []Service, by Zones) Outage {
	o := Outage{All: len(services) > 0, Zones: map[string]bool{}, By: by}
	for _, s := range services {
		if s.Up {
			o.All = false
		}
		if _, known := o.Zones[s.Zone]; !known {
			o.Zones[s.Zone] = true
		}
		o.Zones[s.Zone] = o.Zones[s.Zone] && !s.Up
	}
	for zone, down := range o.Zones {
		if !down {
			delete(o.Zones, zone)
		}
	}
	return o
}

// Hits tells whether a backup of a volume in the zone would wait for a service.
func (o Outage) Hits(zone string) bool { return o.All || o.Zones[o.By.Of(zone)] }
