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
	// askTime limits the wait for Redis' response to one enqueue, including retries of the connection.
	askTime = 5 * time.Second
	// tries limits the attempts for one ID: a task may vanish between the conflict and the read, and the task that holds the
	// ID may have to be deleted first.
	tries = 3
	// suffixes limits the IDs of one volume: the plain one and two that bypass it. More are needed only if Redis loses
	// leases again and again, and then more tasks would not help.
	suffixes = 3
)

// judgement is what a task that holds the ID means for the item.
type judgement int

const (
	keepTask    judgement = iota // it is the item's task, or frees the ID by itself
	replaceTask                  // it waits for something else
	reviveTask                   // it will never run
	bypassTask                   // it counts as active, but nobody works on it
)

// ensureQueued makes sure that the queue holds a task for the item.
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
		case outcome != Bypassed:
			if n > 1 && outcome != Waiting {
				h.log.Warn().Str("kind", string(item.Kind)).Str("volume_id", item.VolumeID).Str("record_id", item.RecordID).Str("group", item.Group).
					Str("task", id).Msg("orphaned active task bypassed")
				return Bypassed, nil
			}
			return outcome, nil
		}
	}
}

// enqueueAs does this under one ID. It returns Bypassed if the ID is to be bypassed; with last it never does.
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
		judgement := judge(item, info)
		if judgement == keepTask && item.Idle && info.State == asynq.TaskStateActive {
			if judgement, err = h.judgeIdle(ctx, info); err != nil {
				return Unknown, err
			}
		}
		switch judgement {
		case keepTask:
			return Waiting, nil
		case bypassTask:
			return h.bypass(item, id, last), nil
		case replaceTask:
			fresh = Replaced
		case reviveTask:
			fresh = Revived
		}
		// Between the read and the deletion the task may have become pending, and is deleted anyway: the new task is
		// what the volume needs. It may also have become active: then Asynq refuses, and the item waits for it.
		if err := h.inspector.DeleteTask(info.Queue, id); err != nil && !gone(err) {
			if now, err := h.inspector.GetTaskInfo(info.Queue, id); err == nil && now.State == asynq.TaskStateActive {
				return Waiting, nil
			}
			return Unknown, err
		}
	}
	// Somebody else enqueued a task each time after the deletion, so the volume has one. If the last deletion was ours,
	// the next dispatch run enqueues one.
	return Waiting, nil
}

// bypass returns Bypassed, unless no further ID is left.
func (h *dispatch) bypass(item Item, id string, last bool) Outcome {
	if !last {
		return Bypassed
	}
	h.log.Error().Str("volume_id", item.VolumeID).Str("group", item.Group).Str("task", id).Msg("task not enqueued: all its IDs are taken in the queue")
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
	// Never asynq.Unique (its lock expired while tasks ran: three at once), never Retention (the ID blocks its volume).
	_, err = h.queue.EnqueueContext(ctx, asynq.NewTask(string(item.Kind), text),
		asynq.TaskID(id), asynq.Queue(r.queue), asynq.Timeout(r.timeout), asynq.MaxRetry(r.maxRetry))
	return err
}

// judge returns what the task that holds the item's ID means for the item.
func judge(item Item, info *asynq.TaskInfo) judgement {
	if info.Type == "" {
		return bypassTask // Redis kept only the state of the task (the rest was evicted): nobody can run it, and Asynq never ends it
	}
	switch info.State {
	case asynq.TaskStateActive:
		if item.Abandoned {
			return bypassTask
		}
		return keepTask
	case asynq.TaskStatePending:
		return keepTask // of any kind: it runs at once, and the next dispatch run enqueues the rest
	case asynq.TaskStateScheduled, asynq.TaskStateRetry:
		if item.Kind == ReportSend {
			return keepTask // only one kind has this ID, and the state is in the rows
		}
		held, err := decode(info.Payload)
		same := err == nil && Kind(info.Type) == item.Kind
		// A retention task is about the whole volume, also if it was made for one record.
		if same && (item.Kind == VolumeRetention || held.RecordID == item.RecordID) {
			return keepTask
		}
		return replaceTask
	case asynq.TaskStateArchived, asynq.TaskStateCompleted:
		return reviveTask
	case asynq.TaskStateAggregating: // we never group; somebody did it manually
		return replaceTask
	}
	return replaceTask
}

// judgeIdle judges an active task of an idle volume. A task that a worker runs has a lease in Redis, which Asynq sets and
// deletes together with the state. Nobody runs a task without a lease (evicted, or lost in a fail-over).
func (h *dispatch) judgeIdle(ctx context.Context, info *asynq.TaskInfo) (judgement, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	err := h.rdb.ZScore(ctx, "asynq:{"+info.Queue+"}:lease", info.ID).Err()
	if err == nil {
		return keepTask, nil
	}
	if !errors.Is(err, redis.Nil) {
		return keepTask, err
	}
	// it may have ended between the first read and this one
	now, err := h.inspector.GetTaskInfo(info.Queue, info.ID)
	switch {
	case gone(err):
		return replaceTask, nil
	case err != nil:
		return keepTask, err
	case now.State == asynq.TaskStateActive:
		return bypassTask, nil
	}
	return keepTask, nil
}

// gone reports whether the task or its queue does not exist: Asynq lost its data or never had any.
func gone(err error) bool {
	return errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound)
}
