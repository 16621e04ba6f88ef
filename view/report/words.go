package report

import (
	"fmt"
	"strings"
	"time"

	"staffeln/backup"
)

// Short truncates a text to a maximum number of characters.
func Short(text string, most int) string {
	letters := []rune(text)
	if len(letters) <= most {
		return text
	}
	return string(letters[:most-1]) + "…"
}

// moment formats a time to the minute; all times of a report are UTC.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

func seconds(n int64) string { return backup.Span(time.Duration(n) * time.Second) }

// plural returns the number with the right form of the word.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func or(name, id string) string {
	if name == "" {
		return id
	}
	return name
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
