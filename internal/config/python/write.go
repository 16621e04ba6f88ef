package python

import (
	"fmt"
	"strings"
	"unicode"

	"staffeln/internal/config"
)

const head = `# Written by ` + "`staffeln config import`" + ` from the configuration of the Python program (docs/moving-over.md).
# docs/configuration.md describes the format and all variables.

# To fill in: the Postgres and the Redis of this program, here or as files (STAFFELN_DATABASE_URL_FILE, STAFFELN_REDIS_URL_FILE).
#STAFFELN_DATABASE_URL=postgres://staffeln:PASSWORD@127.0.0.1:5432/staffeln
#STAFFELN_REDIS_URL=redis://:PASSWORD@127.0.0.1:6379/0
`

// File returns the environment file of the conversions: each setting with where it comes from, and what is refused or has no
// successor as comments.
func File(all ...Conversion) string {
	var b strings.Builder
	b.WriteString(head)
	for _, c := range all {
		for _, s := range c.Settings {
			s.write(&b)
		}
	}
	b.WriteString("\n# What became no variable:\n")
	for _, c := range all {
		for _, r := range c.Remarks {
			b.WriteString(comment(r.line()))
		}
	}
	return b.String()
}

func (s Setting) write(b *strings.Builder) {
	origin := s.From
	if s.Default {
		origin += " (not set: the default of the Python program)"
	}
	b.WriteString("\n" + comment(origin))
	if s.Note != "" {
		b.WriteString(comment(s.Note))
	}
	quoted, err := config.Quote(s.Value)
	switch {
	case s.Refused == "" && err == nil:
		b.WriteString(s.Variable + "=" + quoted + "\n")
	case s.Secret:
		b.WriteString(comment("REFUSED, " + s.Refused))
		b.WriteString(comment(s.Variable + "= (a secret)"))
	default:
		b.WriteString(comment("REFUSED, " + s.Refused))
		b.WriteString(comment(s.Variable + "=" + s.Value))
	}
}

// line returns the remark as one line.
func (r Remark) line() string {
	if r.Missing {
		return "MISSING " + r.About + ": " + r.Text
	}
	return r.About + ": " + r.Text
}

// Report returns what an operator should know about the conversions, a line for each thing, without secrets; and how many of
// them the operator must correct in the file.
func Report(all ...Conversion) (lines []string, toCorrect int) {
	for _, c := range all {
		for _, r := range c.Remarks {
			lines = append(lines, r.line())
			if r.Missing {
				toCorrect++
			}
		}
		for _, s := range c.Settings {
			if s.Refused != "" {
				toCorrect++
				lines = append(lines, fmt.Sprintf("REFUSED %s (%s): %s", s.Variable, s.From, s.Refused))
			} else if s.Note != "" {
				lines = append(lines, fmt.Sprintf("%s (%s): %s", s.Variable, s.From, s.Note))
			}
		}
	}
	return lines, toCorrect
}

// comment returns text as one comment line that every reader of the file accepts.
func comment(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	return strings.TrimRight("# "+text, `\ `) + "\n"
}
