// Package visible writes what others named so that a terminal, a log or a mail shows it and does nothing else: a volume's
// name may hold escape sequences, line breaks and marks that turn the order of characters round.
package visible

import (
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text is a text in one line: each space is a blank, and what does something instead of being seen stands there as Go
// writes it in a string (\x1b, \u202e). What joins the parts of an emoji or of a word stays.
func Text(text string) string { return shown(text, blank) }

// Lines is a text of several lines, likewise.
func Lines(text string) string {
	return shown(text, func(r rune) bool { return r != '\n' && blank(r) })
}

func blank(r rune) bool { return unicode.IsSpace(r) || r == '\u2028' || r == '\u2029' }

// acts tells whether r does something to what it stands in: a control character, a format character that joins nothing,
// or one whose meaning is private.
func acts(r rune) bool {
	const joiners = "\u200c\u200d"
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co) && !strings.ContainsRune(joiners, r)
}

func shown(text string, blank func(rune) bool) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			b.WriteString(`\x` + strconv.FormatUint(uint64(text[i])|1<<8, 16)[1:])
		case blank(r):
			b.WriteByte(' ')
		case r != '\n' && acts(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// JSON passes JSON on, with what acts in a string written as its escape: a decoder reads the same. Each Write must hold
// whole characters.
func JSON(to io.Writer) io.Writer { return escaped{to} }

type escaped struct{ to io.Writer }

func (e escaped) Write(p []byte) (int, error) {
	var safe []byte
	kept := 0
	for i := 0; i < len(p); {
		r, size := utf8.DecodeRune(p[i:])
		if r >= 0x7f && acts(r) {
			safe = append(safe, p[kept:i]...)
			for _, half := range halves(r) {
				safe = append(safe, `\u`+strconv.FormatUint(uint64(half)|1<<16, 16)[1:]...)
			}
			kept = i + size
		}
		i += size
	}
	if _, err := e.to.Write(append(safe, p[kept:]...)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// halves is a character as JSON's escapes count: of UTF-16.
func halves(r rune) []uint16 { return utf16.AppendRune(nil, r) }
