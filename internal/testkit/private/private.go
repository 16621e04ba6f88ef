// Package private starts Postgres and Redis servers for one caller: in its own folder, on free ports of the loopback address,
// as an unprivileged user. They end when the process that started them ends.
//
// It is for the command that runs the tests (internal/testkit/servers) and for tests that stop, kill or restart a server. It
// installs nothing and knows nothing of Staffeln.
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

// attempts is the maximum number of starts: another process may take the free port first.
const attempts = 3

// folder creates a subfolder of dir that the account can write, and returns its absolute path. A folder that a failed attempt
// left is used again.
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

// openParents lets other users traverse (not list) the folders between the temporary folder and path. Root's folders are
// closed, such as those of a test, and the user of the server must reach its folder. Folders elsewhere are left as they are.
func openParents(path string) error {
	top := filepath.Clean(os.TempDir())
	for parent := filepath.Dir(path); strings.HasPrefix(parent, top+string(filepath.Separator)); parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return fmt.Errorf("stat folder: %w", err)
		}
		if err := os.Chmod(parent, info.Mode().Perm()|0o011); err != nil {
			return fmt.Errorf("let other users pass: %w", err)
		}
	}
	return nil
}

// freeAddress returns a loopback address that nobody listened on a moment ago.
func freeAddress(ctx context.Context) (address, port string, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = listener.Close() }() // nothing was accepted
	address = listener.Addr().String()
	_, port, err = net.SplitHostPort(address)
	if err != nil {
		return "", "", fmt.Errorf("read port of %s: %w", address, err)
	}
	return address, port, nil
}

// startOnFreePort starts the described server. It tries another port if the server ended before it was ready.
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

// tail returns the end of a log, for an error message.
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
