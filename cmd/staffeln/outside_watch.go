//go:build crash

package main

import (
	"fmt"
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// A place is where the process reaches outside: which boundary, what is done there, and from which lines of ours.
type place struct {
	name  string   // as the tests name it: boundary, deed, the innermost line of ours and the line of the handler or beat
	lines []string // all of ours, the innermost first
}

// rooms are those whose lines name a place.
var watched = map[string]bool{"db": true, "openstack": true, "tasks": true, "worker": true, "scheduler": true}

// here is the place of the caller's caller. What the queue's library does of its own accord is named by its function.
func here(boundary, deed string) place {
	var counters [96]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(3, counters[:])])
	var p place
	handler := ""
	for {
		frame, more := frames.Next()
		function := strings.TrimPrefix(frame.Function, "github.com/hibiken/asynq/internal/rdb.(*RDB).")
		if function != frame.Function {
			deed = function
		}
		if strings.HasPrefix(frame.Function, "staffeln/") {
			// not the function's: one that was inlined into another room bears that one's name
			room := path.Base(path.Dir(frame.File))
			line := room + "/" + path.Base(frame.File) + ":" + strconv.Itoa(frame.Line)
			if watched[room] {
				p.lines = append(p.lines, line)
				if handler == "" && (room == "worker" || room == "scheduler") {
					handler = line
				}
			}
		}
		if !more {
			break
		}
	}
	p.name = boundary + " " + strings.ReplaceAll(deed, " ", "-")
	if len(p.lines) > 0 {
		p.name += " " + p.lines[0]
	}
	if handler != "" {
		p.name += " < " + handler
	}
	return p
}

// A watch sees every crossing. It writes each place that is new to a file, and dies where it is told to.
type watch struct {
	mu    sync.Mutex
	seen  map[string]bool
	trace *os.File
	side  string
	at    string
	left  int
}

// newWatch reads where to die: `SIDE N PLACE`, with the side before or after, at the N-th crossing. Empty: nowhere.
func newWatch(trace, at string) *watch {
	w := &watch{seen: map[string]bool{}}
	if trace != "" {
		file, err := os.OpenFile(trace, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the test that starts us says where
		if err != nil {
			panic(err)
		}
		w.trace = file
	}
	if at != "" {
		fields := strings.SplitN(at, " ", 3)
		n, err := strconv.Atoi(fields[1])
		if err != nil {
			panic(err)
		}
		w.side, w.left, w.at = fields[0], n, fields[2]
	}
	return w
}

func (w *watch) cross(p place, side string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if key := p.name + "\t" + strings.Join(p.lines, " "); w.trace != nil && !w.seen[key] {
		w.seen[key] = true
		_, _ = fmt.Fprintln(w.trace, key)
	}
	if side != w.side || p.name != w.at {
		return
	}
	w.left--
	if w.left == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // nothing deferred runs, nothing is said to anybody
		select {}                                      // nobody leaves the lock
	}
}
