package cloudsim

// locked implements Keystone's lockout: after so many failed logins in a row every login of the account is refused, even with
// the right password, until LockoutTime after the last failure. Logins that the lock refuses are not counted.
func (c *Cloud) locked(u *user) bool {
	if c.opt.LockoutAttempts == 0 || u.failed < c.opt.LockoutAttempts {
		return false
	}
	if c.at.Before(u.failedAt.Add(c.opt.LockoutTime)) {
		return true
	}
	u.failed = 0
	return false
}

// login reports whether the login succeeds, and counts a failed one.
func (c *Cloud) login(u *user, password string) bool {
	switch {
	case u == nil || c.locked(u):
		return false
	case u.password != password:
		u.failed, u.failedAt = u.failed+1, c.at
		return false
	case !u.Enabled:
		return false
	}
	u.failed = 0
	return true
}

// LockedOut reports whether the account is locked, and how many logins have failed in a row.
func (c *Cloud) LockedOut(userID string) (locked bool, failed int) {
	c.lock()
	defer c.mu.Unlock()
	u := mustFind(c.users, "user", userID)
	return c.locked(u), u.failed
}
