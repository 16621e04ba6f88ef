package queuemodel

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"staffeln/tasks"
)

// Response decides the result of one enqueue: whether the task is enqueued, and the error that the caller gets. Both are
// possible together.
type Response func(ctx context.Context, item tasks.Item) (done bool, err error)

// suffixes is the maximum number of IDs per volume.
const suffixes = 3

var volumeKinds = []tasks.Kind{tasks.VolumePoll, tasks.VolumeBackup, tasks.VolumeRetention}

// Workers returns 1: the test is the worker.
func (q *Queue) Workers(context.Context) (int, error) { return 1, nil }

// Dispatch is the model of [tasks.Client.Dispatch].
func (q *Queue) Dispatch(ctx context.Context, items []tasks.Item) (tasks.Outcomes, error) {
	for _, item := range items {
		if item.VolumeID == "" || !slices.Contains(volumeKinds, item.Kind) {
			return nil, fmt.Errorf("dispatch: kind %q, volume %q: want a volume kind and an ID", item.Kind, item.VolumeID)
		}
	}
	counts := tasks.Outcomes{}
	var faults []error
	for _, item := range items {
		done, err := true, error(nil)
		if q.Response != nil {
			done, err = q.Response(ctx, item)
		}
		q.advance()
		outcome := tasks.Unknown
		if done {
			outcome = q.enqueue(item)
		}
		if err != nil {
			outcome = tasks.Unknown
			faults = append(faults, fmt.Errorf("dispatch volume:%s: %w", item.VolumeID, err))
		}
		counts[outcome]++
	}
	return counts, errors.Join(faults...)
}

// enqueue adds the item under one of the IDs of its volume.
func (q *Queue) enqueue(item tasks.Item) tasks.Outcome {
	for n := 1; ; n++ {
		id := "volume:" + item.VolumeID
		if n > 1 {
			id = fmt.Sprintf("volume:%s:%d", item.VolumeID, n)
		}
		outcome := q.enqueueAs(item, id)
		switch {
		case outcome == tasks.Bypassed && n == suffixes:
			return tasks.Waiting // all IDs are in use
		case outcome != tasks.Bypassed && n > 1 && outcome != tasks.Waiting:
			return tasks.Bypassed
		case outcome != tasks.Bypassed:
			return outcome
		}
	}
}

// enqueueAs adds the item under one ID. It returns Bypassed if another ID must be tried.
func (q *Queue) enqueueAs(item tasks.Item, id string) tasks.Outcome {
	outcome := tasks.Enqueued
	if held := q.tasks[id]; held != nil {
		switch held.state {
		case Active:
			if item.Abandoned {
				return tasks.Bypassed
			}
			return tasks.Waiting
		case Pending:
			return tasks.Waiting
		case Retry:
			if held.kind == item.Kind && (item.Kind == tasks.VolumeRetention || held.volume.RecordID == item.RecordID) {
				return tasks.Waiting
			}
			outcome = tasks.Replaced
		case Archived:
			outcome = tasks.Revived
		case None:
		}
	}
	t := &task{id: id, kind: item.Kind, volume: tasks.VolumeTask{VolumeID: item.VolumeID, RecordID: item.RecordID}}
	q.tasks[id] = t
	q.pend(t)
	return outcome
}
