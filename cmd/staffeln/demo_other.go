//go:build !linux

package main

import (
	"os"
	"syscall"
)

// ownGroup asks for nothing: elsewhere children that the demo did not end live on.
func ownGroup() *syscall.SysProcAttr { return nil }

// terminalSize knows no terminal: elsewhere the demo writes plain lines.
func terminalSize(*os.File) (columns, rows int, good bool) { return 0, 0, false }
