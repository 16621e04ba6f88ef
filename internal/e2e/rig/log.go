package rig

import (
	"bytes"
	"slices"
	"sync"
)

// Log stores the log lines of the program.
type Log struct {
	mu    sync.Mutex
	lines []string
}

// Write adds a line.
func (l *Log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(bytes.TrimSpace(line)))
	return len(line), nil
}

// Lines returns all lines so far.
func (l *Log) Lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// showLog shows the last log lines and Cinder's backups if the test failed.
func (w *Environment) showLog() {
	if !w.T.Failed() {
		return
	}
	lines := w.Logs.Lines()
	for _, line := range lines[max(0, len(lines)-80):] {
		w.T.Log(line)
	}
	for _, r := range w.Sim.Backups() {
		w.T.Logf("in Cinder: %+v", r)
	}
}
