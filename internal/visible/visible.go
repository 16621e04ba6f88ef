// Package visible escapes foreign names for terminal, log and mail: the name of a volume may contain escape sequences, line
// breaks and characters that change the text direction.
package visible

import (
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text returns the text as one line. White space becomes a blank; characters with an effect are escaped as in a Go string
// (\x1b, \u202e). The joiners of emoji and scripts are kept.
func Text(text string) string { return shown(text, blank) }

// Lines is Text for several lines: it keeps line breaks.
func Lines(text string) string {
	return shown(text, func(r rune) bool { return r != '\n' && blank(r) })
}

// Named returns the form in which texts name a thing: name (ID), or only the ID if the name is not known.
func Named(name, id string) string {
	if name == "" {
		return id
	}
	return Text(name) + " (" + id + ")"
}

func blank(r rune) bool { return unicode.IsSpace(r) || r == '\u2028' || r == '\u2029' }

// hasEffect reports whether r has an effect instead of a glyph: control characters, format characters except joiners, and
// characters for private use.
func hasEffect(r rune) bool {
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
		case r != '\n' && hasEffect(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// JSON returns a writer that copies JSON to `to` and escapes the characters of strings that have an effect. The decoded values
// do not change. Each Write must hold whole characters.
func JSON(to io.Writer) io.Writer { return escaped{to} }

type escaped struct{ to io.Writer }

func (e escaped) Write(p []byte) (int, error) {
	var safe []byte
	kept := 0
	for i := 0; i < len(p); {
		r, size := utf8.DecodeRune(p[i:])
		if r >= 0x7f && hasEffect(r) {
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

// halves returns the UTF-16 code units of a character, as JSON escapes them.
func halves(r rune) []uint16 { return utf16.AppendRune(nil, r) }
