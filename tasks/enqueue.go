package tasks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

const (
	// askTime bounds the wait for Redis' answer to one enqueue, retries of the connection included.
	askTime = 5 * time.Second
	// tries bounds the rounds about one ID: a task may vanish between the conflict and the look at it, and what holds
	// the ID may have to make room.
	tries = 3
	// suffixes bounds the IDs of one volume: the plain one and two that pass it by. More are never needed unless Redis
	// loses leases again and again, and then more tasks would not help.
	suffixes = 3
)

// verdict is what a task that holds the ID means for the item.
type verdict int

const (
	comes    verdict = iota // it is the item's, or will make room by itself
	inTheWay                // it waits for something else
	dead                    // it will never run
	orphan                  // it counts as active, but nobody works on it
)

// place sees to it that the queue holds a task for the item.
func (h *dispatch) ensureQueued(ctx context.Context, item Item) (Outcome, error) {
	id := item.id()
	for n := 1; ; n++ {
		if n > 1 {
			id = fmt.Sprintf("%s:%d", item.id(), n)
		}
		outcome, err := h.enqueueAs(ctx, item, id, n == suffixes)
		switch {
		case err != nil:
			return Unknown, fmt.Errorf("dispatch %s: %w", id, err)
		case outcome != Passed:
			if n > 1 && outcome != Waiting {
				h.log.Warn().Str("kind", string(item.Kind)).Str("volume", item.VolumeID).Str("record", item.RecordID).Str("group", item.Group).
					Str("task", id).Msg("orphaned active task bypassed")
				return Passed, nil
			}
			return outcome, nil
		}
	}
}

// enqueueAs does so under one ID. It answers Passed where the ID is to be passed by; last says that it is not.
func (h *dispatch) enqueueAs(ctx context.Context, item Item, id string, last bool) (Outcome, error) {
	fresh := Enqueued
	for range tries {
		err := h.enqueue(ctx, item, id)
		if err == nil {
			return fresh, nil
		}
		if !errors.Is(err, asynq.ErrTaskIDConflict) {
			return Unknown, err
		}
		info, err := h.inspector.GetTaskInfo(kinds[item.Kind].queue, id)
		if gone(err) {
			continue
		}
		if err != nil {
			return Unknown, err
		}
		verdict := judge(item, info)
		if verdict == comes && item.Idle && info.State == asynq.TaskStateActive {
			if verdict, err = h.forsaken(ctx, info); err != nil {
				return Unknown, err
			}
		}
		switch verdict {
		case comes:
			return Waiting, nil
		case orphan:
			return h.passBy(item, id, last), nil
		case inTheWay:
			fresh = Replaced
		case dead:
			fresh = Revived
		}
		// Between the look and the deletion it may have become pending, and is deleted all the same: what comes
		// instead is what the volume needs. It may have become active: then Asynq refuses, and it is waited for.
		if err := h.inspector.DeleteTask(info.Queue, id); err != nil && !gone(err) {
			if now, err := h.inspector.GetTaskInfo(info.Queue, id); err == nil && now.State == asynq.TaskStateActive {
				return Waiting, nil
			}
			return Unknown, err
		}
	}
	// Somebody else placed a task each time that we made room: the volume is being looked after. Should the last
	// deletion have been ours, the next dispatch run places one.
	return Waiting, nil
}

// passBy answers Passed, unless no further ID is left.
func (h *dispatch) passBy(item Item, id string, last bool) Outcome {
	if !last {
		return Passed
	}
	h.log.Error().Str("volume", item.VolumeID).Str("group", item.Group).Str("task", id).Msg("task not enqueued: all its IDs are taken in the queue")
	return Waiting
}

func (h *dispatch) enqueue(ctx context.Context, item Item, id string) error {
	text, err := encode(item)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	r := kinds[item.Kind]
	// Never asynq.Unique (its lock ran out while tasks ran: three at once), never Retention (the ID blocks its volume).
	_, err = h.queue.EnqueueContext(ctx, asynq.NewTask(string(item.Kind), text),
		asynq.TaskID(id), asynq.Queue(r.queue), asynq.Timeout(r.timeout), asynq.MaxRetry(r.maxRetry))
	return err
}

// judge says what the task that holds the item's ID means for it.
func judge(item Item, info *asynq.TaskInfo) verdict {
	if info.Type == "" {
		return orphan // of the task Redis kept its state only (the rest was evicted): nobody can run it, and Asynq never ends it
	}
	switch info.State {
	case asynq.TaskStateActive:
		if item.Abandoned {
			return orphan
		}
		return comes
	case asynq.TaskStatePending:
		return comes // whatever it is: it runs at once, and the next dispatch run brings the rest
	case asynq.TaskStateScheduled, asynq.TaskStateRetry:
		if item.Kind == ReportSend {
			return comes // one kind has this ID, and all is in the rows
		}
		held, err := decode(info.Payload)
		same := err == nil && Kind(info.Type) == item.Kind
		// A retention task is about the whole volume, whatever record it was made for.
		if same && (item.Kind == VolumeRetention || held.RecordID == item.RecordID) {
			return comes
		}
		return inTheWay
	case asynq.TaskStateArchived, asynq.TaskStateCompleted:
		return dead
	case asynq.TaskStateAggregating: // we never group; somebody tried by hand
		return inTheWay
	}
	return inTheWay
}

// forsaken judges an active task of an idle volume. What a worker holds has a lease in Redis, taken and given back
// together with its state; one without a lease (evicted, lost in a fail-over) is nobody's.
func (h *dispatch) forsaken(ctx context.Context, info *asynq.TaskInfo) (verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	err := h.rdb.ZScore(ctx, "asynq:{"+info.Queue+"}:lease", info.ID).Err()
	if err == nil {
		return comes, nil
	}
	if !errors.Is(err, redis.Nil) {
		return comes, err
	}
	// it may have ended between the look at it and this one
	now, err := h.inspector.GetTaskInfo(info.Queue, info.ID)
	switch {
	case gone(err):
		return inTheWay, nil
	case err != nil:
		return comes, err
	case now.State == asynq.TaskStateActive:
		return orphan, nil
	}
	return comes, nil
}

// gone tells whether a task is not there, or its queue is not: Asynq lost its data or has never had any.
func gone(err error) bool {
	return errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound)
}
