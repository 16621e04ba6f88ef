package python

import (
	"errors"
	"fmt"
	"strings"
)

// A ConfOption is one assignment of a staffeln.conf.
type ConfOption struct {
	Name  string // section.name, such as conductor.retention_time
	Value string
	Line  int
}

// ParseConf parses a staffeln.conf by the rules of oslo.config (iniparser.py): a line that begins with a space continues the
// value before it, a comment is a line of its own, quotes around a whole value are removed. The result is in the order of
// the file and has duplicates, of which the last one counts. It returns all faults at once, each with file and line and none
// with a value, which may be a secret.
func ParseConf(file, text string) (all []ConfOption, err error) {
	var faults []error
	section, open := "", false // open: a line that begins with a space continues the last option
	number := 0
	for line := range strings.Lines(text) {
		number++
		fault := func(what string) { faults = append(faults, fmt.Errorf("%s:%d: %s", file, number, what)) }
		switch line = strings.TrimRight(line, " \t\r\n\f\v"); {
		case line == "":
			open = false
		case line[0] == ' ' || line[0] == '\t':
			if !open {
				fault("begins with a space, but there is no option above that it could continue")
				continue
			}
			all[len(all)-1].Value += "\n" + strings.TrimLeft(line, " \t")
		case line[0] == '[':
			open = false
			name, closed := strings.CutSuffix(line[1:], "]")
			if !closed || name == "" {
				fault("want the name of a section in brackets, such as [conductor]")
				continue
			}
			if section = name; section != "DEFAULT" {
				section = strings.ToLower(section)
			}
		case line[0] == '#' || line[0] == ';':
			open = false
		default:
			name, value, err := assignment(line)
			if err == nil && section == "" {
				err = errors.New("the option is in no section: write [conductor] or another one above it")
			}
			if open = err == nil; !open {
				fault(err.Error())
				continue
			}
			all = append(all, ConfOption{section + "." + name, value, number})
		}
	}
	return all, errors.Join(faults...)
}

// assignment splits a line at the first = or :.
func assignment(line string) (name, value string, err error) {
	at := strings.IndexAny(line, "=:")
	if at < 0 {
		return "", "", errors.New("want NAME = VALUE, a section in brackets, or a comment that begins with #")
	}
	name, value = strings.TrimSpace(line[:at]), strings.TrimSpace(line[at+1:])
	if name == "" {
		return "", "", errors.New("the name of the option is missing")
	}
	if len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[0] == value[len(value)-1] {
		value = value[1 : len(value)-1]
	}
	return name, value, nil
}

// substitute replaces $$ and \$ by $, as oslo.config does. It refuses the name of another option behind $.
func substitute(value string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		next := byte(0)
		if i+1 < len(value) {
			next = value[i+1]
		}
		switch {
		case value[i] == '\\' && next == '$', value[i] == '$' && next == '$':
			b.WriteByte('$')
			i++
		case value[i] == '$' && (next == '{' || next == '_' || next >= 'a' && next <= 'z' || next >= 'A' && next <= 'Z'):
			return "", errors.New("oslo.config replaces $name by another option: write the value out, or $$ for a dollar sign")
		default:
			b.WriteByte(value[i])
		}
	}
	return b.String(), nil
}
