package tasks

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A Kind is the kind of a task.
type Kind string

// The kinds of task.
const (
	VolumeBackup    Kind = "volume:backup"    // asks Cinder for the planned backup of a volume
	VolumePoll      Kind = "volume:poll"      // reads the backup in progress and records how it ended
	VolumeRetention Kind = "volume:retention" // removes what may be removed now, confirms what is gone
	ReportSend      Kind = "report:send"      // renders a report and sends it
)

// The queues.
const (
	Volumes = "volumes"
	Reports = "reports"
)

// LeaseTime is how long a handler's lease on its volume lasts. It is longer than any handler, whose context ends before.
const LeaseTime = 120 * time.Second

// rules are the queue settings of one kind.
type rules struct {
	queue    string
	idPrefix string        // before the ID of the volume or the group
	timeout  time.Duration // of one run; after it, Asynq starts another run beside a handler that is still working
	maxRetry int
}

// A task whose retries are used up is archived, and its ID, and so its volume, is blocked for 90 days. The record
// decides when to give up, not the queue. 1,000 retries at the poll period last longer than any record waits.
const retries = 1000

// kinds has the rules of each kind: all volume kinds share one queue and one ID, so the queue holds one task per volume.
var kinds = map[Kind]rules{
	VolumePoll:      {queue: Volumes, idPrefix: "volume:", timeout: 100 * time.Second, maxRetry: retries},
	VolumeBackup:    {queue: Volumes, idPrefix: "volume:", timeout: 100 * time.Second, maxRetry: retries},
	VolumeRetention: {queue: Volumes, idPrefix: "volume:", timeout: 100 * time.Second, maxRetry: retries},
	ReportSend:      {queue: Reports, idPrefix: "report:", timeout: 100 * time.Second, maxRetry: retries},
}

// A VolumeTask is the payload of the volume kinds.
type VolumeTask struct {
	VolumeID string `json:"volume_id"`
	RecordID string `json:"record_id,omitempty"` // empty for a retention task
}

// A Report is the payload of [ReportSend]: the group whose report is to be built, or sent.
type Report struct {
	Group string `json:"group"`
}

// version is the version of the payloads. A worker refuses a version that it does not know: during an upgrade the old
// workers must not handle payloads that they only half understand.
const version = 1

type payload struct {
	Version int `json:"v"`
	*VolumeTask
	*Report
}

func encode(item Item) ([]byte, error) {
	p := payload{Version: version}
	if item.Kind == ReportSend {
		p.Report = &Report{item.Group}
	} else {
		p.VolumeTask = new(item.volume())
	}
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode task of %s: %w", item.object(), err)
	}
	return text, nil
}

func read(text []byte) (p payload, err error) {
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("decode task: %w", err)
	}
	if p.Version != version {
		return p, fmt.Errorf("decode task: version %d, want %d", p.Version, version)
	}
	return p, nil
}

func decode(text []byte) (VolumeTask, error) {
	p, err := read(text)
	if err == nil && (p.VolumeTask == nil || p.VolumeID == "") {
		err = errors.New("decode task: no volume ID")
	}
	if err != nil {
		return VolumeTask{}, err
	}
	return *p.VolumeTask, nil
}

func decodeReport(text []byte) (Report, error) {
	p, err := read(text)
	if err == nil && (p.Report == nil || p.Group == "") {
		err = errors.New("decode task: no group")
	}
	if err != nil {
		return Report{}, err
	}
	return *p.Report, nil
}
