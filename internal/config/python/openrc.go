package python

import (
	"errors"
	"regexp"
	"strings"
)

// A Variable is one assignment of an openrc.
type Variable struct {
	Name, Value string
	Line        int
}

// Unread is a line of an openrc that only a shell could read.
type Unread struct {
	Variable string // that it assigns, or ""
	Reason   string
	Line     int
}

var nameStart = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// ParseOpenrc reads the assignments of an openrc: `NAME=value`, with `export` or `declare -x` before it, quoted as for a
// shell, and `unset NAME`. It executes nothing. Of two assignments to one name the last one counts, and the result has only
// that one. What is no assignment, or needs a shell for its value, is unread, without a value.
func ParseOpenrc(text string) (all []Variable, unread []Unread) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		fields, err := shellWords(strings.TrimRight(line, "\r\n"))
		if err == nil && len(fields) > 0 {
			switch {
			case fields[0] == "export" && len(fields) > 1:
				fields = fields[1:]
			case fields[0] == "declare" && len(fields) > 2 && fields[1] == "-x":
				fields = fields[2:]
			case fields[0] == "unset":
				for _, name := range fields[1:] {
					all = without(all, name)
				}
				continue
			}
			for _, field := range fields {
				if !nameStart.MatchString(field) {
					err = errors.New("no assignment NAME=VALUE; nothing of this file is executed")
				}
			}
		}
		if err != nil {
			unread = append(unread, Unread{assigns(line), err.Error(), number})
			continue
		}
		for _, field := range fields {
			name, value, _ := strings.Cut(field, "=")
			all = append(without(all, name), Variable{name, value, number})
		}
	}
	return all, unread
}

func without(all []Variable, name string) (rest []Variable) {
	for _, v := range all {
		if v.Name != name {
			rest = append(rest, v)
		}
	}
	return rest
}

var assigned = regexp.MustCompile(`^\s*(?:export\s+|declare\s+-x\s+)?([A-Za-z_][A-Za-z0-9_]*)=`)

// assigns returns the name of the variable that a line assigns, or "".
func assigns(line string) string {
	if found := assigned.FindStringSubmatch(line); found != nil {
		return found[1]
	}
	return ""
}

// shellWords splits a line as a shell does, and removes quotes. It refuses what a shell would replace or execute.
func shellWords(line string) (words []string, err error) {
	var word strings.Builder
	begun := false
	end := func() {
		if begun {
			words = append(words, word.String())
			word.Reset()
			begun = false
		}
	}
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == '\'' && c != '\'', quote == '"' && !strings.ContainsRune("\"\\$`", rune(c)):
			word.WriteByte(c)
		case c == quote:
			quote = 0
		case c == '$' || c == '`':
			return nil, errors.New("a shell would replace a part of the value, and nothing is executed here: write the value out, in single quotes")
		case c == '\\':
			i++
			if i == len(line) {
				return nil, errors.New("continues on the next line: write it on one line")
			}
			if quote == '"' && !strings.ContainsRune("\"\\$`", rune(line[i])) {
				word.WriteByte('\\')
			}
			word.WriteByte(line[i])
			begun = true
		case c == '\'' || c == '"':
			quote, begun = c, true
		case c == '#' && !begun:
			return words, nil
		case c == ' ' || c == '\t':
			end()
		case strings.IndexByte(";&|<>()", c) >= 0:
			if strings.Trim(line[i:], "; \t") != "" {
				return nil, errors.New("more than one command on the line, and nothing is executed here: write NAME=VALUE, one on each line")
			}
			end()
			return words, nil
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	if quote != 0 {
		return nil, errors.New("the closing quote is missing on this line")
	}
	end()
	return words, nil
}
