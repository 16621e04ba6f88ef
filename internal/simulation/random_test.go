package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// randomActions returns three small actions for the daytime of each day. If an action's object is gone or does not fit,
// nothing happens.
func randomActions(random *rand.Rand, days int) (entries []entry) {
	small := []struct {
		kind   string
		action action
	}{
		{"volume extended", onAny(func(sim *simulation, v string) { extend(v, 1+sim.random.IntN(9))(sim) })},
		{"volume written", onAny(func(sim *simulation, v string) { sim.cloud.WriteVolume(sim.volume(v)) })},
		{"volume created", instant(func(sim *simulation) {
			servers := sim.names(sim.servers)
			sim.serial++
			newVolume(fmt.Sprintf("extra-%d", sim.serial), servers[sim.random.IntN(len(servers))], 5)(sim)
		})},
		{"volume deleted", onAny(func(sim *simulation, v string) {
			if len(sim.volumes) > 76 && sim.serial > 0 && v[:2] == "ex" {
				deleteVolume(v)(sim)
			}
		})},
		{"backup renamed", onAny(func(sim *simulation, v string) { renameBackups(v)(sim) })},
		{"backup made by a tenant", onAny(func(sim *simulation, v string) { backUp(v)(sim) })},
		{"other installation", instant(func(sim *simulation) {
			servers := sim.names(sim.servers)
			otherInstallation(servers[sim.random.IntN(len(servers))], false)(sim)
		})},
	}
	for d := 1; d <= days; d++ {
		for i := range 3 {
			one := small[random.IntN(len(small))]
			entries = append(entries, entry{d, fmt.Sprintf("%02d:%02d", 8+3*i+random.IntN(3), 10+random.IntN(40)), one.kind, once, one.action})
		}
	}
	return entries
}

// onAny executes an action on a random volume of an existing project.
func onAny(do func(sim *simulation, volume string)) action {
	return instant(func(sim *simulation) {
		volumes := slices.DeleteFunc(sim.names(sim.volumes), func(v string) bool { return sim.projectOf[v] == "umbrella" || sim.projectOf[v] == "wonka" })
		do(sim, volumes[sim.random.IntN(len(volumes))])
	})
}

func (sim *simulation) names(of map[string]string) (all []string) {
	for name := range of {
		if project := sim.projectOf[name]; project != "umbrella" && project != "wonka" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}
