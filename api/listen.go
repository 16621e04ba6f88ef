package api

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// A listener is an address that is listened on, and what is served there; health is at each.
type listener struct {
	net.Listener

	pages, check, metrics bool
}

var (
	// ErrCheckListen says that it was the check's own address that could not be listened on.
	ErrCheckListen = errors.New("listen for the delete check")
	// ErrMetricsListen says that it was that of the metrics.
	ErrMetricsListen = errors.New("listen for the API's metrics")
)

// listen opens the addresses: of all, and of the check and the metrics where they have their own.
func listen(ctx context.Context, cfg Config) (listeners []listener, err error) {
	defer func() {
		if err == nil {
			return
		}
		for _, p := range listeners {
			_ = p.Close() // it has served nobody
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
