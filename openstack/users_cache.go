package openstack

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// usersTime is for how long a user is as Keystone said: many reports that are due
// at once have members in common.
const usersTime = 5 * time.Minute

// mostUsers bounds how many are kept, some hundred bytes each.
const mostUsers = 100_000

// usersCache keeps users by ID for some minutes, by our clock: the library's own
// expiry would go by the machine's. It may be used by many goroutines.
type usersCache struct {
	known *lru.Cache[string, cachedUser]
}

type cachedUser struct {
	userJSON

	at time.Time
}

func newUsersCache() usersCache {
	known, _ := lru.New[string, cachedUser](mostUsers) // an error only where the limit is not positive
	return usersCache{known}
}

// look returns those of the users that are known, and the IDs of the others.
func (k usersCache) lookup(now time.Time, ids []string) (users map[string]userJSON, missing []string) {
	users = make(map[string]userJSON, len(ids))
	for _, id := range ids {
		if u, ok := k.known.Get(id); ok && now.Sub(u.at) < usersTime {
			users[id] = u.userJSON
		} else {
			missing = append(missing, id)
		}
	}
	return users, missing
}

// keep notes users that were read now; those that are known stay as old as they are.
func (k usersCache) keep(now time.Time, users map[string]userJSON) {
	for id, u := range users {
		if old, ok := k.known.Peek(id); !ok || now.Sub(old.at) >= usersTime {
			k.known.Add(id, cachedUser{u, now})
		}
	}
}
