package tasks

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// The schemes of a Redis URL.
const (
	plain    = "redis"
	secure   = "rediss"
	sentinel = "redis-sentinel"
	cluster  = "redis-cluster"
)

const (
	redisPort    = "6379"
	sentinelPort = "26379"
)

// address is a parsed Redis URL.
type address struct {
	scheme                         string
	user, password                 string
	hosts                          []string // host:port
	database                       int
	master                         string
	sentinelUser, sentinelPassword string
	tls                            bool
	caFile                         string
}

// parse parses a Redis URL. [asynq.ParseRedisURI] drops the user, and for Sentinel the password and the database too;
// [redis.ParseURL] supports neither Sentinel nor clusters. Both use net/url, which refuses several hosts with ports, and
// whose errors repeat the URL with the password. The errors here repeat no part of the URL that could hold a secret.
func parse(text string) (address, error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found || scheme != plain && scheme != secure && scheme != sentinel && scheme != cluster {
		return address{}, errors.New("want redis://, rediss://, redis-sentinel:// or redis-cluster://")
	}
	a := address{scheme: scheme, tls: scheme == secure}
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	if at := strings.LastIndex(authority, "@"); at >= 0 {
		if err := a.credentials(authority[:at]); err != nil {
			return address{}, err
		}
		authority = authority[at+1:]
	}
	if err := a.setHosts(authority); err != nil {
		return address{}, err
	}
	if err := a.setDatabase(path); err != nil {
		return address{}, err
	}
	err := a.setOptions(query)
	return a, err
}

var errEscape = errors.New("user and password: want / ? # @ : and % written as %2F %3F %23 %40 %3A and %25")

func (a *address) credentials(text string) error {
	user, password, _ := strings.Cut(text, ":")
	var err1, err2 error
	a.user, err1 = url.PathUnescape(user)
	a.password, err2 = url.PathUnescape(password)
	if err1 != nil || err2 != nil {
		return errEscape
	}
	return nil
}

// setHosts never repeats a host that it can't read: a password with an unescaped slash ends up there.
func (a *address) setHosts(text string) error {
	port := redisPort
	if a.scheme == sentinel {
		port = sentinelPort
	}
	for host := range strings.SplitSeq(text, ",") {
		if h, p, err := net.SplitHostPort(host); err == nil {
			if _, err := strconv.ParseUint(p, 10, 16); err != nil || h == "" {
				return fmt.Errorf("hosts: want host or host:port, divided by commas; %w", errEscape)
			}
			a.hosts = append(a.hosts, host)
			continue
		}
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
		if host == "" || strings.Contains(host, ":") && net.ParseIP(host) == nil {
			return fmt.Errorf("hosts: want host or host:port, divided by commas; %w", errEscape)
		}
		a.hosts = append(a.hosts, net.JoinHostPort(host, port))
	}
	if len(a.hosts) > 1 && (a.scheme == plain || a.scheme == secure) {
		return fmt.Errorf("hosts: want one with %s://; several are for redis-sentinel:// and redis-cluster://", a.scheme)
	}
	return nil
}

func (a *address) setDatabase(path string) error {
	if path == "" {
		return nil
	}
	n, err := strconv.Atoi(path)
	if err != nil || n < 0 {
		return fmt.Errorf("database: want a number after the hosts; %w", errEscape)
	}
	if a.scheme == cluster && n != 0 {
		return errors.New("database: a cluster has only 0")
	}
	a.database = n
	return nil
}

func (a *address) setOptions(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("options after the question mark: not readable; want name=value, escaped, divided by &")
	}
	for name, all := range values {
		value := all[len(all)-1]
		isSentinel := a.scheme == sentinel
		switch {
		case name == "ca_file" && a.scheme != plain:
			a.caFile, a.tls = value, true
		case name == "tls" && a.scheme != plain && a.scheme != secure:
			on, err := strconv.ParseBool(value)
			if err != nil {
				return errors.New("option tls: want true or false")
			}
			a.tls = a.tls || on
		case name == "master" && isSentinel:
			a.master = value
		case name == "sentinel_username" && isSentinel:
			a.sentinelUser = value
		case name == "sentinel_password" && isSentinel:
			a.sentinelPassword = value
		default:
			return fmt.Errorf("option %.40q: %s:// does not have it", name, a.scheme)
		}
	}
	if a.scheme == sentinel && a.master == "" {
		return errors.New("option master: missing; redis-sentinel:// needs the name of the master")
	}
	return nil
}
