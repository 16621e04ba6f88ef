package main

import "syscall"

// childAttributes keeps the terminal's Ctrl-C from a child, which the demo ends itself, and has the kernel kill the child
// if the demo dies first.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
