package worker

import (
	"context"
	"regexp"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// logFailure logs a failure at a level that depends on who has to take action. If the volume's previous backup failed for
// the same reason, the level is debug: the records and the findings show that it lasts.
func logFailure(ctx context.Context, c *db.Lease, r backup.Record, why db.Why) {
	level := zerolog.InfoLevel
	if why.Reason.Whose() == backup.Operator {
		level = zerolog.ErrorLevel
	}
	if others, err := c.Records(ctx); err == nil && repeats(r, why, others) {
		level = zerolog.DebugLevel
	}
	zerolog.Ctx(ctx).WithLevel(level).EmbedObject(db.IDsOf(r)).
		Str("reason", string(why.Reason)).Str("owner", string(why.Reason.Whose())).Str("cause", why.Text).
		Str("cloud_request_id", why.RequestID).Msg("backup failed")
}

// repeats reports whether the newest other backup of the volume failed for the same reason.
func repeats(r backup.Record, why db.Why, others []backup.Record) bool {
	var newest *backup.Record
	for i, o := range others {
		if o.ID == r.ID || o.EndedAt == nil || o.State == backup.Withdrawn || newest != nil && !o.EndedAt.After(*newest.EndedAt) {
			continue
		}
		newest = &others[i]
	}
	return newest != nil && newest.AvailableAt == nil && newest.Reason == why.Reason && cause(newest.ReasonText) == cause(backup.WithoutAddresses(why.Text))
}

// variableParts matches what differs between two texts with the same cause: IDs, times, numbers.
var variableParts = regexp.MustCompile(`[0-9a-fA-F]{8}[0-9a-fA-F-]{4,}|\d+`)

func cause(text string) string { return variableParts.ReplaceAllString(text, "#") }
