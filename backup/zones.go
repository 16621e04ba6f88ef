package backup

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Zones maps the availability zones of volumes to the zones of the
// cinder-backup services that back them up.
type Zones map[string]string

// UnmarshalText parses `zone=backupzone,zone=backupzone`; empty means no mapping.
func (z *Zones) UnmarshalText(text []byte) error {
	all := Zones{}
	for pair := range strings.SplitSeq(string(text), ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		from, to, ok := strings.Cut(pair, "=")
		from, to = strings.TrimSpace(from), strings.TrimSpace(to)
		if _, twice := all[from]; !ok || from == "" || to == "" || twice {
			return fmt.Errorf("parse zones %.80q: want zone=backupzone, comma-separated, each zone once", text)
		}
		all[from] = to
	}
	*z = all
	return nil
}

// String returns z in the notation of the configuration.
func (z Zones) String() string {
	pairs := make([]string, 0, len(z))
	for _, from := range slices.Sorted(maps.Keys(z)) {
		pairs = append(pairs, from+"="+z[from])
	}
	return strings.Join(pairs, ",")
}

// MarshalText returns the text of [Zones.String].
func (z Zones) MarshalText() ([]byte, error) { return []byte(z.String()), nil }

// Mapped returns the zone of the cinder-backup service that the operator configured for volumes of this zone; empty
// if none is configured.
func (z Zones) Mapped(zone string) string { return z[zone] }

// Of returns the zone of the cinder-backup service for volumes of this zone: the mapped one, or else the same zone.
func (z Zones) Of(zone string) string {
	if to, ok := z[zone]; ok {
		return to
	}
	return zone
}
