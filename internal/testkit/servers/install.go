package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// installScript is the only part that runs as root.
//
//go:embed install.sh
var installScript string

// installMissing installs what is missing. If it may not, it returns an error with the command to install it.
func installMissing(ctx context.Context, tools []missingTool) error {
	if len(tools) == 0 {
		return nil
	}
	what, packages := describe(tools)
	shell := rootShell(ctx)
	if shell == nil {
		return fmt.Errorf("missing: %s: install with: sudo apt-get install %s", what, strings.Join(packages, " "))
	}
	logf("installing %s", strings.Join(packages, " "))
	began := time.Now()
	arguments := append(append(shell[1:], "-s", "--"), packages...)
	cmd := exec.CommandContext(ctx, shell[0], arguments...)
	cmd.Stdin = strings.NewReader(installScript)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("install %s (missing: %s): %w: %s", strings.Join(packages, " "), what, err, lastLines(string(out)))
	}
	logf("installed %s in %s", strings.Join(packages, " "), time.Since(began).Round(time.Second))
	return nil
}

// rootShell returns the command of a root shell for the installation, or nil if this is no Debian or root is not available.
func rootShell(ctx context.Context) []string {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil
	}
	if os.Geteuid() == 0 {
		return []string{"sh"}
	}
	if exec.CommandContext(ctx, "sudo", "-n", "true").Run() == nil {
		return []string{"sudo", "-n", "sh"}
	}
	return nil
}

// lastLines returns the end of a program's output.
func lastLines(out string) string {
	const enough = 15
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) > enough {
		lines = lines[len(lines)-enough:]
	}
	return strings.Join(lines, "\n")
}
