// Package private starts Postgres and Redis servers that belong to one caller: in a folder of its own, on free ports of
// the loopback address, as an unprivileged user, gone when the process that started them is gone.
//
// It is for the command that runs the tests (internal/testkit/servers) and for tests that must stop, kill or restart a server.
// It installs nothing, and knows nothing of Staffeln.
package private

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// attempts is how often a server is started: another process may take the free port before the server does.
const attempts = 3

// folder makes a subfolder of dir that the account may write, and answers its absolute path.
// A folder that is there already, after an attempt that failed, is used again.
func folder(dir, name string, as account) (string, error) {
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		return "", fmt.Errorf("find folder %s: %w", dir, err)
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("make folder: %w", err)
	}
	if as.credential == nil {
		return path, nil
	}
	if err := openParents(path); err != nil {
		return "", err
	}
	if err := os.Chown(path, int(as.credential.Uid), int(as.credential.Gid)); err != nil {
		return "", fmt.Errorf("give folder to %s: %w", as.name, err)
	}
	return path, nil
}

// openParents lets other users pass through (not list) the folders between the temporary folder and path: root's are closed,
// as a test's own is, and the server's user must reach its folder. Elsewhere that is the caller's affair.
func openParents(path string) error {
	top := filepath.Clean(os.TempDir())
	for parent := filepath.Dir(path); strings.HasPrefix(parent, top+string(filepath.Separator)); parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return fmt.Errorf("look at folder: %w", err)
		}
		if err := os.Chmod(parent, info.Mode().Perm()|0o011); err != nil {
			return fmt.Errorf("let other users pass: %w", err)
		}
	}
	return nil
}

// freeAddress answers an address of the loopback interface that nobody listened on a moment ago.
func freeAddress(ctx context.Context) (address, port string, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = listener.Close() }() // nothing was accepted: there is nothing to lose
	address = listener.Addr().String()
	_, port, err = net.SplitHostPort(address)
	if err != nil {
		return "", "", fmt.Errorf("read port of %s: %w", address, err)
	}
	return address, port, nil
}

// startOnFreePort starts the server that make describes, on another port where it ended before it was ready.
func startOnFreePort(ctx context.Context, describe func(address, port string) *Server) (*Server, error) {
	var last error
	for range attempts {
		address, port, err := freeAddress(ctx)
		if err != nil {
			return nil, err
		}
		server := describe(address, port)
		last = server.start(ctx)
		if last == nil {
			return server, nil
		}
		if !errors.Is(last, errEnded) {
			break
		}
	}
	return nil, last
}

// tail answers the end of a log, for an error message.
func tail(path string) string {
	const enough = 1500
	text, err := os.ReadFile(path)
	if err != nil {
		return "(no log: " + err.Error() + ")"
	}
	if len(text) > enough {
		text = text[len(text)-enough:]
	}
	return strconv.Quote(string(text))
}
