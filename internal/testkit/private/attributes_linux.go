package private

import "syscall"

// attributes are how a server's process is made: under the account, outside the terminal's process group (Ctrl-C is for the
// tests, the servers end after them), and ended by the kernel with the given signal when the thread that started it ends.
func attributes(as account, orphaned syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as.credential, Setpgid: true, Pdeathsig: orphaned}
}
