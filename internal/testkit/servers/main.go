// Command servers runs a command with private Postgres and Redis servers:
//
//	go run ./internal/testkit/servers -- go test ./...
//
// The command gets their URLs in TEST_DATABASE_URL and TEST_REDIS_URL. If the caller sets such a variable, that server is
// used. Missing programs are installed as Debian packages if the caller may do that: the servers, a C compiler for `go test
// -race`, a Chromium for `go test -tags browser` and promtool for the tests of metrics and alerts. The servers run as an unprivileged user, in a temporary folder, on free
// ports, and end after the command. The exit code is that of the command.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"staffeln/internal/testkit/private"
)

const (
	databaseVariable = "TEST_DATABASE_URL"
	redisVariable    = "TEST_REDIS_URL"

	exitFailed = 1
	exitUsage  = 2
)

func main() {
	command := commandOf(os.Args[1:])
	if len(command) == 0 {
		fmt.Fprintln(os.Stderr, "usage: servers -- COMMAND [ARGUMENT ...]")
		os.Exit(exitUsage)
	}
	code, err := run(command)
	if err != nil {
		fmt.Fprintln(os.Stderr, "servers:", err)
		code = exitFailed
	}
	os.Exit(code)
}

// commandOf returns the command and its arguments: all after `--`, or everything.
func commandOf(args []string) []string {
	if len(args) > 0 && args[0] == "--" {
		return args[1:]
	}
	return args
}

// run starts the servers, runs the command and returns its exit code.
func run(command []string) (code int, err error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	if err := installMissing(ctx, missing(ctx, command)); err != nil {
		return 0, err
	}
	servers, err := start(ctx)
	defer func() { err = errors.Join(err, servers.end()) }()
	if err != nil {
		return 0, err
	}
	return execute(ctx, command, append(os.Environ(), servers.environment...), signals)
}

// servers holds the servers that this run has started.
type servers struct {
	folder      string
	running     []*private.Server
	environment []string
}

// start starts the servers that the caller did not set. The caller must call end on the result, also after an error.
func start(ctx context.Context) (*servers, error) {
	s := new(servers)
	if os.Getenv(databaseVariable) != "" && os.Getenv(redisVariable) != "" {
		logf("using the servers of %s and %s", databaseVariable, redisVariable)
		return s, nil
	}
	folder, err := os.MkdirTemp("", "staffeln-servers-")
	if err != nil {
		return s, fmt.Errorf("make folder for the servers: %w", err)
	}
	s.folder = folder
	err = s.add(databaseVariable, func() (*private.Server, error) { return private.StartPostgres(ctx, folder) })
	if err != nil {
		return s, err
	}
	err = s.add(redisVariable, func() (*private.Server, error) { return private.StartRedis(ctx, folder) })
	return s, err
}

func (s *servers) add(variable string, start func() (*private.Server, error)) error {
	if url := os.Getenv(variable); url != "" {
		logf("using the server of %s", variable)
		return nil
	}
	server, err := start()
	if err != nil {
		return err
	}
	s.running = append(s.running, server)
	s.environment = append(s.environment, variable+"="+server.URL)
	logf("started %s: %s", server.Binary, server.URL)
	return nil
}

// end stops the servers in reverse order and removes their folder.
func (s *servers) end() error {
	var faults []error
	for _, server := range slices.Backward(s.running) {
		faults = append(faults, server.Stop())
	}
	if s.folder != "" {
		faults = append(faults, os.RemoveAll(s.folder))
	}
	return errors.Join(faults...)
}

// logf writes a message to stderr.
func logf(format string, values ...any) {
	fmt.Fprintln(os.Stderr, "servers:", strings.TrimSpace(fmt.Sprintf(format, values...)))
}
