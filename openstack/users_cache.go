package openstack

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// usersTTL is how long a cached user is valid: many reports that are due at once have members in common.
const usersTTL = 5 * time.Minute

// maxCachedUsers limits the cache; a user takes some hundred bytes.
const maxCachedUsers = 100_000

// usersCache caches users by ID for some minutes of our clock; the library's own expiry would use the machine's. It is safe
// for concurrent use.
type usersCache struct {
	known *lru.Cache[string, cachedUser]
}

type cachedUser struct {
	userJSON

	at time.Time
}

func newUsersCache() usersCache {
	known, _ := lru.New[string, cachedUser](maxCachedUsers) // returns an error only if the limit is not positive
	return usersCache{known}
}

// lookup returns the users that are cached, and the IDs of the others.
func (k usersCache) lookup(now time.Time, ids []string) (users map[string]userJSON, missing []string) {
	users = make(map[string]userJSON, len(ids))
	for _, id := range ids {
		if u, ok := k.known.Get(id); ok && now.Sub(u.at) < usersTTL {
			users[id] = u.userJSON
		} else {
			missing = append(missing, id)
		}
	}
	return users, missing
}

// keep caches users that were read now. A cached user that is still valid keeps its age.
func (k usersCache) keep(now time.Time, users map[string]userJSON) {
	for id, u := range users {
		if old, ok := k.known.Peek(id); !ok || now.Sub(old.at) >= usersTTL {
			k.known.Add(id, cachedUser{u, now})
		}
	}
}
