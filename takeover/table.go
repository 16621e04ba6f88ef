package takeover

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// An Unreadable is a line of a file that is no row of the table. The other lines are read.
type Unreadable struct {
	Line int    `json:"line" desc:"its number; the header is line 1"`
	Why  string `json:"why" desc:"what is wrong with it"`
}

// line is one line of a table: its fields, or what is wrong with it. A null field is the empty string: no column of these
// tables gives the empty string another meaning.
type line struct {
	number int
	fields []string
	wrong  string
}

// errNoTable is the error for a text whose first line is no header of tab- or comma-separated columns.
var errNoTable = errors.New("its first line is no header of columns that are separated by tabs or commas; docs/moving-over.md has the commands that print it")

// split splits a text into its header and its lines. What separates the columns is seen in the header: a tab as `mysql --batch`
// prints it, else a comma as `psql --csv` and `sqlite3 -csv -header` do.
func split(text []byte) (header []string, lines []line, err error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	first, _, _ := bytes.Cut(text, []byte("\n"))
	switch {
	case bytes.ContainsRune(first, '\t'):
		lines = tabs(string(text))
	case bytes.ContainsRune(first, ','):
		lines = commas(text)
	}
	if len(lines) == 0 || lines[0].wrong != "" {
		return nil, nil, errNoTable
	}
	header = lines[0].fields
	for i, name := range header {
		header[i] = strings.ToLower(strings.TrimSpace(name))
	}
	lines = lines[1:]
	for i, l := range lines {
		if l.wrong == "" && len(l.fields) != len(header) {
			lines[i].wrong = fmt.Sprintf("%d columns, and the header has %d", len(l.fields), len(header))
		}
	}
	return header, lines, nil
}

// tabs reads what `mysql --batch` prints: tab, newline, NUL and backslash in a value are escaped, and NULL is null.
func tabs(text string) (lines []line) {
	unescape := strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\0`, "\x00", `\\`, `\`)
	number := 0
	for one := range strings.Lines(text) {
		number++
		one = strings.TrimRight(one, "\r\n")
		if one == "" {
			continue
		}
		fields := strings.Split(one, "\t")
		for i, f := range fields {
			if fields[i] = unescape.Replace(f); f == "NULL" {
				fields[i] = ""
			}
		}
		lines = append(lines, line{number: number, fields: fields})
	}
	return lines
}

// commas reads comma-separated values (RFC 4180), in which an empty value is null.
func commas(text []byte) (lines []line) {
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	for {
		fields, err := r.Read()
		wrong := new(csv.ParseError)
		switch {
		case errors.Is(err, io.EOF):
			return lines
		case errors.As(err, &wrong):
			lines = append(lines, line{number: wrong.StartLine, wrong: wrong.Err.Error()})
		case err != nil: // memory does not fail
			return lines
		default:
			number, _ := r.FieldPos(0)
			lines = append(lines, line{number: number, fields: fields})
		}
	}
}
