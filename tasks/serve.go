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

// drainTime is how long handlers have to end after the signal. One that obeys its context needs none of it; one that
// shields a request to Cinder from the signal, so that its answer is not lost, needs some. It ends before the 30
// seconds that Kubernetes and Docker's users commonly give.
const drainTime = 20 * time.Second

// ServerConfig is what a server of tasks needs to know.
type ServerConfig struct {
	Concurrency   int           // tasks at the same time
	PollPeriod    time.Duration // the longest delay before a failed task runs again
	CheckInterval time.Duration // between looks into empty queues; 0 = 1 s
	Log           zerolog.Logger
	Metrics       *telemetry.Metrics
}

// Serve runs the handlers on what the queue brings until ctx ends. Then it drains: the handlers' contexts end, their
// tasks go back to the queue at once and uncounted, and Serve answers nil when all have returned. A Redis that is away
// is waited for.
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
		queues[kinds[kind].queue] = 1 // by turns: no queue starves another
	}
	s := &server{ServerConfig: cfg, table: table, drain: make(chan struct{})}
	srv := asynq.NewServerFromRedisClient(rdb, asynq.Config{
		Concurrency: cfg.Concurrency, Queues: queues,
		TaskCheckInterval: cfg.CheckInterval, DelayedTaskCheckInterval: min(5*time.Second, 5*cfg.CheckInterval),
		// Not ctx itself: Asynq takes the end of a base context for a failure of the task.
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
	close(s.drain) // before Asynq hears of it: its own shutdown ends contexts only after the time is over
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
		if s.failures.any(t.Type()) {
			object, _ := about(t, log)
			s.failures.ran(&log, t.Type(), object)
		}
		return nil
	case errors.As(err, &bad):
		// Nothing becomes readable by another run. The next dispatch run makes a new task of what the volume needs.
		s.failures.failed(&log, zerolog.ErrorLevel, t.Type(), "", err.Error()).Err(err).Msg("task not readable")
		s.Metrics.TaskHandled(string(kind), "not_readable")
		return nil
	case errors.Is(context.Cause(ctx), errDraining) && !errors.As(err, new(panicError)):
		return errDraining
	}
	return err
}

// failed logs and counts what Asynq takes for the end of a run with an error: the handler's, a panic, the drain, or
// its own: time over, or a lease on the task that ran out because Redis was away.
func (s *server) failed(ctx context.Context, t *asynq.Task, err error) {
	object, log := about(t, zerolog.Ctx(ctx).With().Str("task", t.Type()).Logger())
	line := func(level zerolog.Level) *zerolog.Event {
		return s.failures.failed(&log, level, t.Type(), object, err.Error())
	}
	attempt, _ := asynq.GetRetryCount(ctx) // without one it is the first
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
		object, log = v.VolumeID, log.With().Str("volume", v.VolumeID).Str("record", v.RecordID).Logger()
	}
	return object, log
}
