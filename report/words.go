package report

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"staffeln/backup"
)

// Plain makes a name of others' harmless to read: no line of its own, no order of characters turned round, nothing that
// can't be seen. What joins the parts of an emoji or of a word stays.
func Plain(text string) string {
	const joiners = "\u200c\u200d"
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), r == '\u2028', r == '\u2029':
			return ' '
		case strings.ContainsRune(joiners, r):
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
}

// Short cuts a text after so many characters.
func Short(text string, most int) string {
	letters := []rune(text)
	if len(letters) <= most {
		return text
	}
	return string(letters[:most-1]) + "…"
}

// moment writes a time to the minute; all times of a report are UTC.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

func seconds(n int64) string { return backup.Span(time.Duration(n) * time.Second) }

// plural counts things.
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

// listed writes parts as a sentence does: a, b and c.
func listed(parts []string) string {
	switch len(parts) {
	case 0:
		return ""
	case 1:
		return parts[0]
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}
