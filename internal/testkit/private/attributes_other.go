//go:build !linux

package private

import "syscall"

// attributes is the same as on Linux, except that only Linux ends a process whose parent has died.
func attributes(as account, _ syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as.credential, Setpgid: true}
}
