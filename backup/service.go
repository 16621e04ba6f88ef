package backup

// A Service is one cinder-backup process as Cinder lists it.
type Service struct {
	Host, Zone string
	Up         bool // it sends heartbeats, and is not disabled
}

// An Outage reports where no cinder-backup service is up. There Cinder accepts a request (202), and the backup remains
// in creating until a service is up.
type Outage struct {
	All   bool
	Zones map[string]bool // zones that have services, none of them up
	Up    int             // number of services that are up
	By    Zones           // the setting that maps zones of volumes to zones of services
}

// OutageOf returns where no backup can be made. No service at all is no outage: Cinder does not show them to us, or
// names them differently. The setting decides which zone serves the volumes of another one.
func OutageOf(services []Service, by Zones) Outage {
	o := Outage{All: len(services) > 0, Zones: map[string]bool{}, By: by}
	for _, s := range services {
		if s.Up {
			o.All = false
			o.Up++
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

// Hits reports whether a backup of a volume in this zone would wait for a service.
func (o Outage) Hits(zone string) bool { return o.All || o.Zones[o.By.Of(zone)] }

// Cap returns the operator's cap on backups in progress, or the number of backups that the running services process
// at a time, if that is lower: since 2026.1 the rest would wait inside Cinder while their time limit runs. 0 means no
// cap, and is returned unchanged.
func (o Outage) Cap(total, perService int) int {
	if total == 0 || perService == 0 || o.Up == 0 {
		return total
	}
	return min(total, perService*o.Up)
}
