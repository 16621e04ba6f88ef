package private

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is the user that runs the servers. Postgres refuses to run as root, and Redis does not need root.
type account struct {
	name       string
	credential *syscall.Credential // nil: the current user
}

// unprivileged returns the user for the servers: the current user or, for root, the first of Debian's that exists.
func unprivileged() (account, error) {
	if os.Geteuid() != 0 {
		return account{name: "user " + strconv.Itoa(os.Geteuid())}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if errors.As(err, new(user.UnknownUserError)) {
			continue
		}
		if err != nil {
			return account{}, fmt.Errorf("find user %s: %w", name, err)
		}
		uid, err := strconv.ParseUint(found.Uid, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("read user ID of %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(found.Gid, 10, 32)
		if err != nil {
			return account{}, fmt.Errorf("read group ID of %s: %w", name, err)
		}
		return account{name: name, credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return account{}, errors.New("start servers as root: neither user postgres nor user nobody exists: run as another user")
}
