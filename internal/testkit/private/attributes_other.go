//go:build !linux

package private

import "syscall"

// attributes are as on Linux, but only Linux ends a process whose parent died.
func attributes(as account, _ syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as.credential, Setpgid: true}
}
