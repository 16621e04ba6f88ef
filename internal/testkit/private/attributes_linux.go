package private

import "syscall"

// attributes returns the process attributes of a server: it runs as the account, and in its own process group, so that Ctrl-C
// reaches only the tests and the servers end after them. The kernel sends the signal orphaned when the thread that started the
// process ends.
func attributes(as account, orphaned syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as.credential, Setpgid: true, Pdeathsig: orphaned}
}
