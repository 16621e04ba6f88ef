//go:build !linux

package main

import "syscall"

// childAttributes sets nothing: on other systems children outlive a demo that was killed.
func childAttributes() *syscall.SysProcAttr { return nil }
