package view

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"staffeln/backup"
)

// Clock formats a time to the minute; all times of a view are UTC.
func Clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// MaybeClock formats a time that may be nil.
func MaybeClock(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return Clock(*t)
}

// Each converts all elements. The result is never nil, so that JSON has an empty list.
func Each[A, B any](all []A, turn func(A) B) []B {
	turned := make([]B, 0, len(all))
	for _, a := range all {
		turned = append(turned, turn(a))
	}
	return turned
}

// Plural returns the number with the right form of the word.
func Plural(n int, one, many string) string {
	return fmt.Sprintf("%d %s", n, cmp.Or(map[bool]string{true: one}[n == 1], many))
}

// Seconds converts a duration that views have in seconds.
func Seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// Short truncates a text to a maximum number of characters.
func Short(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}

// listed joins parts as in a sentence: a, b and c.
func listed(parts []string) string {
	switch len(parts) {
	case 0:
		return ""
	case 1:
		return parts[0]
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

// Decided describes an action that was decided.
func Decided(action string) string {
	switch backup.Action(action) {
	case backup.Create:
		return "a backup was planned"
	case backup.Fail:
		return "it was recorded that none can be made"
	case backup.Withdraw:
		return "the planned backup was withdrawn"
	case backup.Wait:
	}
	return "nothing was planned"
}

// Does describes an action that is to come.
func Does(action, kind string) string {
	switch backup.Action(action) {
	case backup.Create:
		switch backup.Kind(kind) {
		case backup.Full:
			return "a full backup is planned"
		case backup.Incremental:
			return "an incremental backup is planned"
		}
		return "a backup is planned"
	case backup.Fail:
		return "it is recorded that none can be made"
	case backup.Withdraw:
		return "the planned backup is withdrawn"
	case backup.Wait:
	}
	return "nothing is planned"
}
