package main

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"staffeln/db"
	"staffeln/internal/crashpoint"
	"staffeln/internal/telemetry"
)

// withHeartbeat runs a scheduler or worker and records every few seconds that it is alive.
func withHeartbeat(ctx context.Context, kind string, database *db.DB, d dependencies, process func(context.Context) error) error {
	if crashpoint.HeartbeatPeriod == 0 {
		return process(ctx)
	}
	started, err := database.Now(ctx)
	if err != nil {
		return err
	}
	self := db.Heartbeat{Kind: kind, Name: processName(), Version: version, StartedAt: started}
	sending, end := context.WithCancel(context.WithoutCancel(ctx)) // a worker that drains is alive
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		sendHeartbeats(sending, self, database, d)
	}()
	defer func() { end(); <-ended }()
	return process(ctx)
}

// sendHeartbeats sends heartbeats until ctx ends, and then deletes the last one. A database that does not respond gets the
// next one.
func sendHeartbeats(ctx context.Context, self db.Heartbeat, database *db.DB, d dependencies) {
	var conditions telemetry.Conditions
	ticker := time.NewTicker(crashpoint.HeartbeatPeriod)
	defer ticker.Stop()
	for {
		limited, cancel := context.WithTimeout(ctx, crashpoint.HeartbeatPeriod)
		err := database.RecordHeartbeat(limited, self)
		cancel()
		switch {
		case ctx.Err() != nil:
		case err != nil:
			conditions.MetLasting(&d.log, zerolog.WarnLevel, "heartbeat", "").Err(err).Msg("heartbeat not recorded, will be tried again")
		default:
			conditions.Over(&d.log, "heartbeat").Msg("heartbeats recorded again")
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			_ = database.DeleteHeartbeat(last, self) // if this fails, the row shows a dead process for a day
			cancel()
			return
		case <-ticker.C:
		}
	}
}
