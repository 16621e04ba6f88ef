package tasks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"staffeln/internal/telemetry"
)

// drainTime is how long handlers have to end after the signal. A handler that obeys its context needs none of it; one that
// shields a request to Cinder from the signal, so that the response is not lost, needs some. It is shorter than the usual
// grace period of Kubernetes and Docker users, 30 seconds.
const drainTime = 20 * time.Second

// ServerConfig is the configuration of a task server.
type ServerConfig struct {
	Concurrency   int           // tasks at the same time
	PollPeriod    time.Duration // the longest delay before a failed task runs again
	CheckInterval time.Duration // between checks of empty queues; 0 = 1 s
	Log           zerolog.Logger
	Metrics       *telemetry.Metrics
}

// Serve runs the handlers for the tasks of the queue until ctx ends. Then it drains: the handlers' contexts end, their
// tasks go back to the queue at once without counting as failures, and Serve returns nil when all handlers have returned.
// While Redis is unreachable, Serve waits.
func Serve(ctx context.Context, rdb redis.UniversalClient, cfg ServerConfig, h Handlers) error {
	table := h.table()
	if len(table) == 0 {
		return errors.New("serve tasks: no handler")
	}
	if cfg.CheckInterval <= 0 {
		cfg.CheckInterval = time.Second
	}
	queues := map[string]int{}
	for kind := range table {
		queues[kinds[kind].queue] = 1 // equal weights: no queue starves another
	}
	s := &server{ServerConfig: cfg, table: table, drain: make(chan struct{})}
	srv := asynq.NewServerFromRedisClient(rdb, asynq.Config{
		Concurrency: cfg.Concurrency, Queues: queues,
		TaskCheckInterval: cfg.CheckInterval, DelayedTaskCheckInterval: min(5*time.Second, 5*cfg.CheckInterval),
		// Not ctx itself: Asynq counts the end of a base context as a failure of the task.
		BaseContext:    func() context.Context { return cfg.Log.WithContext(context.WithoutCancel(ctx)) },
		IsFailure:      isFailure,
		RetryDelayFunc: func(n int, err error, _ *asynq.Task) time.Duration { return retryDelay(n, err, cfg.PollPeriod) },
		ErrorHandler:   asynq.ErrorHandlerFunc(s.failed), ShutdownTimeout: drainTime,
		Logger: newAsynqLog(cfg.Log), LogLevel: asynq.DebugLevel,
	})
	if err := srv.Start(asynq.HandlerFunc(s.handle)); err != nil {
		return fmt.Errorf("serve tasks: %w", err)
	}
	<-ctx.Done()
	close(s.drain) // before Asynq's shutdown, which ends contexts only after its timeout
	srv.Stop()
	srv.Shutdown()
	return nil
}

type server struct {
	ServerConfig

	table map[Kind]asynq.HandlerFunc
	drain chan struct{} // closed when the server is being stopped

	failures failures
}

// handle runs one task.
func (s *server) handle(ctx context.Context, t *asynq.Task) error {
	kind := Kind(t.Type())
	handler, known := s.table[kind]
	if !known {
		handler = func(context.Context, *asynq.Task) error {
			return badPayloadError{fmt.Errorf("handle task: kind %.40q has no handler", t.Type())}
		}
		kind = "other" // a label of a metric
	}
	log := zerolog.Ctx(ctx).With().Str("task", t.Type()).Logger()
	ctx, cancel := context.WithCancelCause(log.WithContext(ctx))
	defer cancel(nil)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-s.drain:
			cancel(errDraining)
		case <-stop:
		}
	}()

	err := guarded(handler, ctx, t)
	bad := badPayloadError{}
	switch {
	case err == nil:
		s.Metrics.TaskHandled(string(kind), "ok")
		if s.failures.anyFailing(t.Type()) {
			object, _ := about(t, log)
			s.failures.succeeded(&log, t.Type(), object)
		}
		return nil
	case errors.As(err, &bad):
		// Another run can't make it readable. The next dispatch run makes a new task for what the volume needs.
		s.failures.failed(&log, zerolog.ErrorLevel, t.Type(), "", err.Error()).Err(err).Msg("task not readable")
		s.Metrics.TaskHandled(string(kind), "not_readable")
		return nil
	case errors.Is(context.Cause(ctx), errDraining) && !errors.As(err, new(panicError)):
		return errDraining
	}
	return err
}

// failed logs and counts what Asynq treats as the end of a run with an error: the handler's error, a panic, the drain, or
// Asynq's own: a timeout, or a task lease that expired because Redis was unreachable.
func (s *server) failed(ctx context.Context, t *asynq.Task, err error) {
	object, log := about(t, zerolog.Ctx(ctx).With().Str("task", t.Type()).Logger())
	line := func(level zerolog.Level) *zerolog.Event {
		return s.failures.failed(&log, level, t.Type(), object, err.Error())
	}
	attempt, _ := asynq.GetRetryCount(ctx) // if it is missing, this is the first attempt
	outcome := "error"
	var crash panicError
	switch {
	case errors.Is(err, errDraining):
		outcome = "draining"
		log.Debug().Msg("task returned to the queue: worker is stopping")
	case errors.Is(err, asynq.ErrLeaseExpired):
		outcome = "lease_expired"
		line(zerolog.WarnLevel).Err(err).Msg("task lost: its queue lease expired")
	case errors.As(err, &crash):
		outcome = "panic"
		line(zerolog.ErrorLevel).Err(err).Bytes("stack", crash.stack).Int("failures", attempt+1).Msg("task handler panicked")
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
		outcome = "time_over"
		line(zerolog.WarnLevel).Err(err).Int("failures", attempt+1).Msg("task timed out, will be retried")
	default:
		line(zerolog.WarnLevel).Err(err).Int("failures", attempt+1).Msg("task failed, will be retried")
	}
	kind := t.Type()
	if _, known := s.table[Kind(kind)]; !known {
		kind = "other"
	}
	s.Metrics.TaskHandled(kind, outcome)
}

// about returns the volume or the group that a task is about, and a log that names it.
func about(t *asynq.Task, log zerolog.Logger) (object string, named zerolog.Logger) {
	if r, err := decodeReport(t.Payload()); err == nil {
		object, log = r.Group, log.With().Str("group", r.Group).Logger()
	}
	if v, err := decode(t.Payload()); err == nil {
		object, log = v.VolumeID, log.With().Str("volume_id", v.VolumeID).Str("record_id", v.RecordID).Logger()
	}
	return object, log
}
