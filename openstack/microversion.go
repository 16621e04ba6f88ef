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

// Microversions of Cinder that some of our functions need.
const (
	newestVolumeMinor = 70 // the highest that we ask for: see below
	metadataMinor     = 43 // metadata on backups; below it, the tag is in the description
	zoneMinor         = 51 // availability_zone in a request for a backup
	secretMinor       = 64 // encryption_key_id of backups; below it, any backup may be encrypted
	oldestVolumeMinor = 18 // project_id of backups; nothing here works without it
)

// 3.70 is the newest of Zed, the oldest release in the contract tests, so all of them are read at the same microversion. 3.71
// only adds an action on volumes that Nova calls. A higher one may change what is read: raise it only for something that we need.

const (
	// negotiationPeriod is how long a negotiated version is used before Cinder is asked for a higher one.
	negotiationPeriod = time.Hour
	// maxRootRequests is how many times the versions are read after a 406 that does not name the node's maximum. Each time
	// another node may respond.
	maxRootRequests = 4
)

// A microversion is the minor version of Cinder's API 3 to request. During a rolling upgrade some API nodes know only a
// lower one than others.
type microversion struct {
	sem chan struct{} // held while an older node's maximum is read

	mu   sync.Mutex
	best int       // the highest that Cinder offered and we know; it never falls
	top  int       // the maximum of the oldest node, as far as known; 0: the same as best
	next time.Time // when Cinder is asked again, if it may offer more than is used
	// trial: the limit of the older node was lifted, to find out whether a node still needs it.
	trial bool
}

// now returns the minor version to request.
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

// olderNode reports whether a node was recently older than the others.
func (v *microversion) olderNode() (minor, best int, older bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lowered(), v.best, v.top > 0 || v.trial
}

// least returns the lowest minor version to fall back to. Below metadataMinor the tags of backups that were made at it or
// above are not visible: our backups would be taken for foreign ones.
func (v *microversion) least() int {
	if v.best >= metadataMinor {
		return metadataMinor
	}
	return oldestVolumeMinor
}

// renew makes the next request negotiate again, because Cinder has moved.
func (v *microversion) renew() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.next = time.Time{}
}

// due reports whether the caller has to negotiate with Cinder again.
func (v *microversion) due(now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	due := v.next.IsZero() || (v.top > 0 || v.trial || v.best < newestVolumeMinor) && !now.Before(v.next)
	if due {
		v.next = now.Add(negotiationPeriod)
	}
	return due && v.best > 0
}

// negotiated applies the version that Cinder offers. It reports whether no node refused the version in use since the limit
// was lifted.
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

// refused records that a node knows only minor versions up to top.
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

// connectVersion negotiates with Cinder for the first time.
func (c *Cloud) connectVersion(ctx context.Context) error {
	r, offered := c.versions()
	if err := c.do(ctx, c.admin, r); err != nil {
		return err
	}
	if *offered < oldestVolumeMinor {
		return r.refuse(c.admin.projectID, backup.MeansRefused,
			fmt.Sprintf("Cinder offers 3.%d: want at least 3.%d, which returns the project of a backup", *offered, oldestVolumeMinor))
	}
	c.version.mu.Lock()
	defer c.version.mu.Unlock()
	c.version.best, c.version.next = min(*offered, newestVolumeMinor), c.clock.now().Add(negotiationPeriod)
	return nil
}

// versions returns the request that asks Cinder which microversions it offers.
func (c *Cloud) versions() (r request, offered *int) {
	offered = new(int)
	r = request{op: "negotiate microversion", object: "of Cinder", method: http.MethodGet, service: cinder, root: true}
	r.decode = func(body []byte) error {
		var response struct {
			Versions []struct {
				ID, Version string
			}
		}
		if err := json.Unmarshal(body, &response); err != nil {
			return err
		}
		for _, v := range response.Versions {
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

// root returns the URL of Cinder's version document.
func root(base string) string {
	if at := strings.Index(base, "/v3"); at >= 0 {
		base = base[:at+len("/v3")]
	}
	return base + "/"
}

// negotiateAgain asks Cinder what it offers, if it may offer more than is used.
func (c *Cloud) negotiateAgain(ctx context.Context) {
	if !c.version.due(c.clock.now()) {
		return
	}
	r, offered := c.versions()
	if fault := c.send(ctx, c.admin, r, c.destinationOf(c.admin, r)); fault != nil {
		return // the version in use remains until the next time
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

// maximum matches the node's maximum in the text of a 406.
var maximum = regexp.MustCompile(`maximum is 3\.(\d+)`)

// lower reports whether a request may be sent again, at a lower microversion, after a node refused its microversion.
func (c *Cloud) lower(ctx context.Context, sent int, fault *backup.CloudError) bool {
	if c.version.now() < sent {
		return true // another caller lowered it meanwhile
	}
	select {
	case c.version.sem <- struct{}{}:
		defer func() { <-c.version.sem }()
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
	for n := 0; top >= sent && n < maxRootRequests; n++ {
		r, offered := c.versions()
		if c.send(ctx, c.admin, r, c.destinationOf(c.admin, r)) == nil {
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
