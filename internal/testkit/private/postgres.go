package private

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// newest returns the path with the highest number as its third element from the end, as in 15/bin/postgres.
func newest(paths []string) string {
	best, highest := "", -1
	for _, path := range paths {
		number, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err == nil && number > highest {
			best, highest = path, number
		}
	}
	return best
}

// StartPostgres creates a new Postgres cluster in dir and starts it: UTF-8, UTC, no passwords, TCP only on the loopback
// address. It runs without fsync: fast, but the data is lost if the machine crashes. Its superuser is staffeln.
func StartPostgres(ctx context.Context, dir string) (*Server, error) {
	bin, err := FindPostgres()
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	home, err := folder(dir, "postgres", as)
	if err != nil {
		return nil, err
	}
	if err := initCluster(ctx, bin, home, as); err != nil {
		return nil, err
	}
	return startOnFreePort(ctx, func(address, port string) *Server {
		url := "postgres://staffeln@" + address + "/postgres?sslmode=disable"
		return &Server{
			URL: url, Binary: filepath.Join(bin, "postgres"),
			name: "postgres", args: postgresArgs(home, port), env: environment(home), folder: home,
			attr: attributes(as, syscall.SIGQUIT), stop: syscall.SIGINT, // SIGQUIT ends it at once, with its children; SIGINT does not wait for clients
			ready: func(ctx context.Context) error { return pingPostgres(ctx, url) },
		}
	})
}

func initCluster(ctx context.Context, bin, home string, as account) error {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"),
		"--pgdata="+home, "--username=staffeln", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
		"--no-sync", "--no-instructions")
	cmd.Dir, cmd.Env, cmd.SysProcAttr = home, environment(home), &syscall.SysProcAttr{Credential: as.credential}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb in %s as %s: %w: %s", home, as.name, err, strings.TrimSpace(string(out)))
	}
	return nil
}

func postgresArgs(home, port string) []string {
	args := []string{"-D", home}
	for _, setting := range []string{
		"listen_addresses=127.0.0.1", "port=" + port, "unix_socket_directories=",
		"max_connections=300", "timezone=UTC", "log_timezone=UTC",
		"fsync=off", "full_page_writes=off", "synchronous_commit=off",
	} {
		args = append(args, "-c", setting)
	}
	return args
}

// environment returns an environment without the caller's PG* variables, locale and time zone.
func environment(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LANG=C.UTF-8", "TZ=UTC"}
}

func pingPostgres(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to postgres: %w", err)
	}
	return conn.Close(ctx)
}
