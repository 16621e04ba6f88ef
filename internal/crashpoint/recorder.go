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

// A point is a crash point: a call to another server, and the lines of our code that made it.
type point struct {
	name  string   // as in the tests: server, call, our innermost line, and the line of the handler or run
	lines []string // all our lines, the innermost first
}

// watched are the packages whose lines are part of a point's name.
var watched = map[string]bool{"db": true, "openstack": true, "tasks": true, "worker": true, "scheduler": true}

// here returns the crash point of the caller's caller. A call of the Asynq library is named by the function of the library.
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
			// by its file: a function that is inlined into another package has the name of that package
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

// A recorder gets every call. It writes each new point to a trace file, and kills the process at the chosen point.
type recorder struct {
	mu    sync.Mutex
	seen  map[string]bool
	trace *os.File
	side  string
	at    string
	left  int
}

// newRecorder parses where to kill the process: `SIDE N POINT`. SIDE is before or after the call, N is the N-th call. Empty:
// nowhere.
func newRecorder(trace, at string) *recorder {
	r := &recorder{seen: map[string]bool{}}
	if trace != "" {
		file, err := os.OpenFile(trace, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // the path comes from the test that starts this process
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
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // SIGKILL: no deferred call runs, nothing is closed
		select {}                                      // holds the mutex, so no other call proceeds
	}
}
