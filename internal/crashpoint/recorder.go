//go:build crash

package crashpoint

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

// A point is a call to another server: to which, what is called, and from which lines of ours.
type point struct {
	name  string   // as the tests name it: server, call, the innermost line of ours and the line of the handler or run
	lines []string // all of ours, the innermost first
}

// watched are the packages whose lines are in the name of a point.
var watched = map[string]bool{"db": true, "openstack": true, "tasks": true, "worker": true, "scheduler": true}

// here returns the point of the caller's caller. What the queue's library does by itself is named by its function.
func here(server, call string) point {
	var counters [96]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(3, counters[:])])
	var p point
	handler := ""
	for {
		frame, more := frames.Next()
		function := strings.TrimPrefix(frame.Function, "github.com/hibiken/asynq/internal/rdb.(*RDB).")
		if function != frame.Function {
			call = function
		}
		if strings.HasPrefix(frame.Function, "staffeln/") {
			// by its file: a function that was inlined into another package has the name of that package
			pkg := path.Base(path.Dir(frame.File))
			line := pkg + "/" + path.Base(frame.File) + ":" + strconv.Itoa(frame.Line)
			if watched[pkg] {
				p.lines = append(p.lines, line)
				if handler == "" && (pkg == "worker" || pkg == "scheduler") {
					handler = line
				}
			}
		}
		if !more {
			break
		}
	}
	p.name = server + " " + strings.ReplaceAll(call, " ", "-")
	if len(p.lines) > 0 {
		p.name += " " + p.lines[0]
	}
	if handler != "" {
		p.name += " < " + handler
	}
	return p
}

// A recorder sees every call. It writes each new point to a file, and kills the process at the chosen one.
type recorder struct {
	mu    sync.Mutex
	seen  map[string]bool
	trace *os.File
	side  string
	at    string
	left  int
}

// newRecorder reads where to kill the process: `SIDE N POINT`, with the side before or after, at the N-th call. Empty: nowhere.
func newRecorder(trace, at string) *recorder {
	r := &recorder{seen: map[string]bool{}}
	if trace != "" {
		file, err := os.OpenFile(trace, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the test that starts this process says where
		if err != nil {
			panic(err)
		}
		r.trace = file
	}
	if at != "" {
		fields := strings.SplitN(at, " ", 3)
		n, err := strconv.Atoi(fields[1])
		if err != nil {
			panic(err)
		}
		r.side, r.left, r.at = fields[0], n, fields[2]
	}
	return r
}

func (r *recorder) cross(p point, side string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if key := p.name + "\t" + strings.Join(p.lines, " "); r.trace != nil && !r.seen[key] {
		r.seen[key] = true
		_, _ = fmt.Fprintln(r.trace, key)
	}
	if side != r.side || p.name != r.at {
		return
	}
	r.left--
	if r.left == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // no deferred call runs, nothing is closed
		select {}                                      // no other call passes the lock
	}
}
