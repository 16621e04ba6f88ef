package openstack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
)

// Microversions of Cinder that decide what we can do.
const (
	newestVolumeMinor = 70 // the highest that we know (Zed)
	metadataMinor     = 43 // metadata on backups; below, the tag stands in the description
	zoneMinor         = 51 // availability_zone of a backup that is asked for
	secretMinor       = 64 // encryption_key_id of backups; below, any may be encrypted
	oldestVolumeMinor = 18 // the project of a backup; without it nothing here works
)

const (
	// negotiationPeriod is how long Cinder's word counts where it may get better.
	negotiationPeriod = time.Hour
	// rootsAsked is how often the versions are read after a 406 that does not say
	// what the node knows: each time another node may answer.
	rootsAsked = 4
)

// A microversion is the minor one of Cinder's API 3 that is asked for. While the API
// nodes are upgraded one after the other, some know a lower one than others.
type microversion struct {
	turn chan struct{} // held by who looks what an older node knows

	mu   sync.Mutex
	best int       // the highest that Cinder offered and we know; it never falls
	top  int       // what the oldest node knows, as far as we were told; 0: as much as the best
	next time.Time // when Cinder is asked again, where it may offer more than is used
	// trial: the older node's limit was lifted to see whether there is still one.
	trial bool
}

// now returns the minor version to ask for.
func (v *microversion) now() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lowered()
}

func (v *microversion) lowered() int {
	if v.top > 0 {
		return min(v.top, v.best)
	}
	return v.best
}

// highest returns the highest minor version that Cinder ever offered.
func (v *microversion) highest() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.best
}

// olderNode reports whether a node was older than the others lately.
func (v *microversion) olderNode() (minor, best int, older bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lowered(), v.best, v.top > 0 || v.trial
}

// least is the lowest minor version to go down to. Below metadataMinor the tags
// of backups that were made at it can't be seen: they would be taken for
// somebody else's.
func (v *microversion) least() int {
	if v.best >= metadataMinor {
		return metadataMinor
	}
	return oldestVolumeMinor
}

// renew lets Cinder be asked before the next request: it is elsewhere now.
func (v *microversion) renew() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.next = time.Time{}
}

// due reports whether it is the caller's turn to ask Cinder again.
func (v *microversion) due(now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	due := v.next.IsZero() || (v.top > 0 || v.trial || v.best < newestVolumeMinor) && !now.Before(v.next)
	if due {
		v.next = now.Add(negotiationPeriod)
	}
	return due && v.best > 0
}

// negotiated takes what Cinder offers. It reports whether no node refused what
// is used since the limit was lifted.
func (v *microversion) negotiated(offered int) (over bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if offered < v.least() {
		return false
	}
	v.best = max(v.best, min(offered, newestVolumeMinor))
	over = v.trial && v.top == 0
	v.trial = v.top > 0
	if v.top = 0; offered < v.best {
		v.top, over = offered, false
	}
	return over
}

// refused takes that a node knows minor versions up to top only.
func (v *microversion) refused(top int, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if top < v.least() {
		return false
	}
	if v.top == 0 || top < v.top {
		v.top = top
	}
	v.next = now.Add(negotiationPeriod)
	return true
}

// connectVersion agrees with Cinder for the first time.
func (c *Cloud) connectVersion(ctx context.Context) error {
	r, offered := c.versions()
	if err := c.do(ctx, c.admin, r); err != nil {
		return err
	}
	if *offered < oldestVolumeMinor {
		return r.refuse(c.admin.projectID, backup.MeansRefused,
			fmt.Sprintf("Cinder offers 3.%d: want at least 3.%d, which tells the project of a backup", *offered, oldestVolumeMinor))
	}
	c.version.mu.Lock()
	defer c.version.mu.Unlock()
	c.version.best, c.version.next = min(*offered, newestVolumeMinor), c.clock.now().Add(negotiationPeriod)
	return nil
}

// versions is the question which microversions Cinder offers.
func (c *Cloud) versions() (r request, offered *int) {
	offered = new(int)
	r = request{op: "negotiate microversion", object: "of Cinder", method: http.MethodGet, service: cinder, root: true}
	r.decode = func(body []byte) error {
		var said struct {
			Versions []struct {
				ID, Version string
			}
		}
		if err := json.Unmarshal(body, &said); err != nil {
			return err
		}
		for _, v := range said.Versions {
			minor, ok := strings.CutPrefix(v.Version, "3.")
			n, err := strconv.Atoi(minor)
			if ok && err == nil {
				*offered = max(*offered, n)
			}
		}
		return nil
	}
	return r, offered
}

// root is where Cinder tells its versions.
func root(base string) string {
	if at := strings.Index(base, "/v3"); at >= 0 {
		base = base[:at+len("/v3")]
	}
	return base + "/"
}

// negotiateAgain asks Cinder what it offers, where it may offer more than is used.
func (c *Cloud) negotiateAgain(ctx context.Context) {
	if !c.version.due(c.clock.now()) {
		return
	}
	r, offered := c.versions()
	if fault := c.send(ctx, c.admin, r, c.aim(c.admin, r)); fault != nil {
		return // what was agreed on holds until the next time
	}
	over := c.version.negotiated(*offered)
	if *offered < c.version.highest() {
		c.olderNode(ctx, *offered)
	}
	if over {
		c.retrier.conditions.Over(zerolog.Ctx(ctx), conditionOlderNode).Int("minor", c.version.now()).Msg("all Cinder API nodes support the microversion again")
	}
}

const conditionOlderNode = "older API node"

// maximum is how Cinder tells in a 406 what the node knows.
var maximum = regexp.MustCompile(`maximum is 3\.(\d+)`)

// lower reports whether a request may be sent again after a node refused its
// microversion: with a lower one.
func (c *Cloud) lower(ctx context.Context, sent int, fault *backup.CloudError) bool {
	if c.version.now() < sent {
		return true // somebody learned it meanwhile
	}
	select {
	case c.version.turn <- struct{}{}:
		defer func() { <-c.version.turn }()
	case <-ctx.Done():
		return false
	}
	if c.version.now() < sent {
		return true
	}
	top := sent
	if m := maximum.FindStringSubmatch(fault.Message); m != nil {
		top, _ = strconv.Atoi(m[1])
	}
	for n := 0; top >= sent && n < rootsAsked; n++ {
		r, offered := c.versions()
		if c.send(ctx, c.admin, r, c.aim(c.admin, r)) == nil {
			top = *offered
		}
	}
	if top >= sent {
		return false
	}
	if !c.version.refused(top, c.clock.now()) {
		fault.Message += fmt.Sprintf(" (an API node of Cinder is too old: want at least 3.%d, which shows the tags of backups; upgrade or stop that node)", metadataMinor)
		return false
	}
	c.olderNode(ctx, top)
	return true
}

func (c *Cloud) olderNode(ctx context.Context, top int) {
	c.retrier.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, conditionOlderNode, strconv.Itoa(top)).
		Int("best", c.version.highest()).Int("minor", top).Msg("a Cinder API node is older than the others, its microversion is used")
}
