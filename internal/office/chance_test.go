package office

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// chances are the small things of which the dice choose three for each day, at daytime. What they name may be gone by
// then, or not fit; then nothing happens.
func chances(dice *rand.Rand, days int) (entries []entry) {
	small := []struct {
		kind string
		deed deed
	}{
		{"volume extended", onAny(func(o *office, v string) { extend(v, 1+o.dice.IntN(9))(o) })},
		{"volume written", onAny(func(o *office, v string) { o.sim.WriteVolume(o.volume(v)) })},
		{"volume created", once(func(o *office) {
			servers := o.names(o.servers)
			o.serial++
			newVolume(fmt.Sprintf("extra-%d", o.serial), servers[o.dice.IntN(len(servers))], 5)(o)
		})},
		{"volume deleted", onAny(func(o *office, v string) {
			if len(o.volumes) > 76 && o.serial > 0 && v[:2] == "ex" {
				deleteVolume(v)(o)
			}
		})},
		{"backup renamed", onAny(func(o *office, v string) { renames(v)(o) })},
		{"backup made by a tenant", onAny(func(o *office, v string) { backsUp(v)(o) })},
		{"other installation", once(func(o *office) {
			servers := o.names(o.servers)
			otherInstallation(servers[o.dice.IntN(len(servers))], false)(o)
		})},
	}
	for d := 1; d <= days; d++ {
		for i := range 3 {
			one := small[dice.IntN(len(small))]
			entries = append(entries, entry{d, fmt.Sprintf("%02d:%02d", 8+3*i+dice.IntN(3), 10+dice.IntN(40)), one.kind, once0, one.deed})
		}
	}
	return entries
}

// onAny does something to a volume of a project that is there.
func onAny(do func(o *office, volume string)) deed {
	return once(func(o *office) {
		volumes := slices.DeleteFunc(o.names(o.volumes), func(v string) bool { return o.homes[v] == "umbrella" || o.homes[v] == "wonka" })
		do(o, volumes[o.dice.IntN(len(volumes))])
	})
}

func (o *office) names(of map[string]string) (all []string) {
	for name := range of {
		if home := o.homes[name]; home != "umbrella" && home != "wonka" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}
