package private

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"syscall"
)

// StartRedis starts a Redis in dir with 512 databases. It has no persistence and never evicts a key. Options are options of
// redis-server and override these: StartRedis(ctx, dir, "--appendonly", "yes").
func StartRedis(ctx context.Context, dir string, options ...string) (*Server, error) {
	binary, err := FindRedis()
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	home, err := folder(dir, "redis", as)
	if err != nil {
		return nil, err
	}
	return startOnFreePort(ctx, func(address, port string) *Server {
		return &Server{
			URL: "redis://" + address + "/0", Binary: binary,
			name: "redis", args: redisArgs(home, port, options), env: environment(home), folder: home,
			attr: attributes(as, syscall.SIGKILL), stop: syscall.SIGTERM,
			ready: func(ctx context.Context) error { return pingRedis(ctx, address) },
		}
	})
}

func redisArgs(home, port string, options []string) []string {
	return append([]string{
		"--bind", "127.0.0.1", "--port", port, "--dir", home, "--daemonize", "no",
		"--databases", "512", "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction",
	}, options...)
}

// pingRedis uses a plain connection: the Redis client would retry, and log while it waits.
func pingRedis(ctx context.Context, address string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("connect to redis: %w", err)
	}
	defer func() { _ = conn.Close() }() // the response has been read
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return fmt.Errorf("set deadline for redis: %w", err)
		}
	}
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return fmt.Errorf("ping redis: %w", err)
	}
	response, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return fmt.Errorf("ping redis: %w", err)
	}
	if strings.TrimSpace(response) != "+PONG" {
		return fmt.Errorf("ping redis: it returned %q", response)
	}
	return nil
}
