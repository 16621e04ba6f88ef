package api

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// A listener is an open address, with the groups of routes that it serves. Every listener serves health.
type listener struct {
	net.Listener

	pages, check, metrics bool
}

var (
	// ErrCheckListen means that the address of the delete check could not be opened.
	ErrCheckListen = errors.New("listen for the delete check")
	// ErrMetricsListen means that the address of the metrics could not be opened.
	ErrMetricsListen = errors.New("listen for the API's metrics")
)

// listen opens the main address, and those of the delete check and the metrics if they have their own.
func listen(ctx context.Context, cfg Config) (listeners []listener, err error) {
	defer func() {
		if err == nil {
			return
		}
		for _, p := range listeners {
			_ = p.Close() // it has served no request
		}
		listeners = nil
	}()
	open := func(address string, as listener) error {
		opened, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		if err != nil {
			return err
		}
		as.Listener = opened
		listeners = append(listeners, as)
		return nil
	}
	if err := open(cfg.Listen, listener{pages: true, check: cfg.CheckListen == "", metrics: cfg.MetricsListen == ""}); err != nil {
		return listeners, fmt.Errorf("listen for the API: %w", err)
	}
	if cfg.CheckListen != "" {
		if err := open(cfg.CheckListen, listener{check: true}); err != nil {
			return listeners, fmt.Errorf("%w: %w", ErrCheckListen, err)
		}
	}
	if cfg.MetricsListen != "" {
		if err := open(cfg.MetricsListen, listener{metrics: true}); err != nil {
			return listeners, fmt.Errorf("%w: %w", ErrMetricsListen, err)
		}
	}
	return listeners, nil
}
