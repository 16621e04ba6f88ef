package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An assignment is one NAME=VALUE of an environment file.
type assignment struct{ name, value string }

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// parseEnvFile reads the lines of an environment file as systemd's EnvironmentFile and compose's env_file do. What the two
// read differently, or one of them only by chance, is a fault: the same file must mean the same to all of them. It returns
// all faults at once, each with file and line and none with a value, which may be a secret.
//
// The rules of the two: parse_env_file_internal in systemd's src/basic/env-file.c, and package dotenv of compose-go.
// `export` before a name is accepted, as by compose and shells; systemd ignores such a line.
func parseEnvFile(file, text string) (all []assignment, err error) {
	var faults []error
	number := 0
	for line := range strings.Lines(text) {
		number++
		a, given, err := parseEnvLine(strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"))
		if err != nil {
			faults = append(faults, fmt.Errorf("%s:%d: %w", file, number, err))
		} else if given {
			all = append(all, a)
		}
	}
	return all, errors.Join(faults...)
}

// parseEnvLine returns the assignment of a line; given is false for an empty line and a comment.
func parseEnvLine(line string) (a assignment, given bool, err error) {
	if !utf8.ValidString(line) {
		return a, false, errors.New("not UTF-8")
	}
	if strings.ContainsFunc(line, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }) {
		return a, false, errors.New("contains a control character")
	}
	line = strings.Trim(line, " \t")
	if line == "" {
		return a, false, nil
	}
	if line[0] == '#' || line[0] == ';' {
		if strings.HasSuffix(line, `\`) {
			return a, false, errors.New(`a comment that ends with a backslash: systemd before 254 takes the next line as a comment, too; remove the backslash`)
		}
		return a, false, nil
	}
	name, value, found := strings.Cut(line, "=")
	if rest, exported := strings.CutPrefix(name, "export"); exported && rest != strings.TrimLeft(rest, " \t") {
		name = strings.TrimLeft(rest, " \t")
	}
	name = strings.TrimRight(name, " \t")
	switch {
	case !found:
		return a, false, errors.New("want NAME=VALUE, or a comment that begins with #")
	case !variableName.MatchString(name):
		return a, false, fmt.Errorf("%.40q is not the name of a variable: want letters, digits and _, not beginning with a digit", name)
	}
	value, err = parseEnvValue(strings.TrimLeft(value, " \t"))
	if err != nil {
		return a, false, fmt.Errorf("%s: %w", name, err)
	}
	return assignment{name, value}, true, nil
}

func parseEnvValue(text string) (string, error) {
	switch {
	case text == "":
		return "", nil
	case text[0] == '\'':
		return parseSingleQuoted(text[1:])
	case text[0] == '"':
		return parseDoubleQuoted(text[1:])
	case strings.TrimFunc(text, unicode.IsSpace) != text:
		return "", errors.New("begins or ends with a space of another kind than the usual one; write it in single quotes, or remove it")
	case text[0] == '#' || strings.Contains(text, " #") || strings.Contains(text, "\t#"):
		return "", errors.New("compose begins a comment at #, systemd does not: write the value in single quotes, or the comment on a line of its own")
	case strings.Contains(text, "$"):
		return "", errDollar
	case strings.Contains(text, `\`):
		return "", errors.New(`systemd replaces \ and compose does not: write the value in single quotes`)
	}
	return text, nil
}

var (
	errDollar = errors.New("compose replaces $, systemd does not: write the value in single quotes")
	errNoEnd  = errors.New("the closing quote is missing on this line")
	errBehind = errors.New("text behind the closing quote: write a comment on a line of its own, and a quote within the value as described in docs/configuration.md")
)

// parseSingleQuoted reads a value in which nothing is replaced.
func parseSingleQuoted(text string) (string, error) {
	value, behind, closed := strings.Cut(text, "'")
	switch {
	case !closed:
		return "", errNoEnd
	case strings.HasSuffix(value, `\`):
		return "", errors.New(`\' ends the value in systemd, and is a quote in compose: write the value in double quotes`)
	case strings.Trim(behind, " \t") != "":
		return "", errBehind
	}
	return value, nil
}

// parseDoubleQuoted reads a value in which \" \\ and \$ stand for the second character.
func parseDoubleQuoted(text string) (string, error) {
	var value strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			if strings.Trim(text[i+1:], " \t") != "" {
				return "", errBehind
			}
			return value.String(), nil
		case '$':
			return "", errors.New(`compose replaces $, systemd does not: write \$, or the value in single quotes`)
		case '\\':
			i++
			if i == len(text) {
				return "", errNoEnd
			}
			if !strings.ContainsRune(`"\$`, rune(text[i])) {
				return "", fmt.Errorf(`systemd and compose read \%c differently in double quotes: write \\ for a backslash, or the value in single quotes`, text[i])
			}
			value.WriteByte(text[i])
		default:
			value.WriteByte(c)
		}
	}
	return "", errNoEnd
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_./:@,+=%-]*$`)

// Quote returns a value as an environment file must have it: systemd, compose and shells read it as the same. It is an error,
// without the value, if no quotes can make it so.
func Quote(value string) (string, error) {
	quoted := value
	switch {
	case plain.MatchString(value):
	case !strings.ContainsRune(value, '\'') && !strings.HasSuffix(value, `\`):
		quoted = "'" + value + "'"
	default:
		quoted = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(value) + `"`
	}
	again, _, err := parseEnvLine("A=" + quoted)
	if err == nil && again.value != value {
		err = errors.New("cannot be written in an environment file")
	}
	return quoted, err
}
