package tasks

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/hibiken/asynq"
)

// Handlers are a worker's functions for each kind of task. Tasks of a kind without a handler remain in the queue for others.
//
// A handler obeys its context, which ends when the time is over or the worker is being stopped. It writes final results,
// good or bad, to the row, and returns nil. An error means that the same task should run again; the error is logged here.
// A handler may run twice, or late, or at the same time as another one of the same volume.
type Handlers struct {
	Backup    func(context.Context, VolumeTask) error
	Poll      func(context.Context, VolumeTask) error
	Retention func(context.Context, VolumeTask) error
	Report    func(context.Context, Report) error
}

// table returns the handlers by kind. Each decodes its own payload; a further payload type needs a further line here.
func (h Handlers) table() map[Kind]asynq.HandlerFunc {
	table := make(map[Kind]asynq.HandlerFunc)
	add := func(kind Kind, handler func(context.Context, VolumeTask) error) {
		if handler != nil {
			table[kind] = volumeHandler(handler)
		}
	}
	add(VolumeBackup, h.Backup)
	add(VolumePoll, h.Poll)
	add(VolumeRetention, h.Retention)
	if h.Report != nil {
		table[ReportSend] = reportHandler(h.Report)
	}
	return table
}

func volumeHandler(handler func(context.Context, VolumeTask) error) asynq.HandlerFunc {
	return func(ctx context.Context, t *asynq.Task) error {
		v, err := decode(t.Payload())
		if err != nil {
			return badPayloadError{err}
		}
		return handler(ctx, v)
	}
}

func reportHandler(handler func(context.Context, Report) error) asynq.HandlerFunc {
	return func(ctx context.Context, t *asynq.Task) error {
		r, err := decodeReport(t.Payload())
		if err != nil {
			return badPayloadError{err}
		}
		return handler(ctx, r)
	}
}

// errDraining ends a task whose worker is being stopped: no failure, and due again at once on another worker.
var errDraining = errors.New("worker is being stopped")

// badPayloadError is the error of a task that can't be decoded.
type badPayloadError struct{ cause error }

func (e badPayloadError) Error() string { return e.cause.Error() }

func (e badPayloadError) Unwrap() error { return e.cause }

// panicError is a panic of a handler. Its stack is logged, but not written to Redis.
type panicError struct {
	value any
	stack []byte
}

func (e panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// guarded runs a handler and turns its panic into an error.
func guarded(handler asynq.HandlerFunc, ctx context.Context, t *asynq.Task) (err error) { //nolint:revive // the context belongs to the call, not to the handler before it
	defer func() {
		if value := recover(); value != nil {
			err = panicError{value, debug.Stack()}
		}
	}()
	return handler(ctx, t)
}
