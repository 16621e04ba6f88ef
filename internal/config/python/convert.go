package python

import (
	"fmt"
	"slices"
	"strings"
)

// A Setting is one variable of the environment file.
type Setting struct {
	Variable, Value string
	From            string // the options or the line that it comes from
	Default         bool   // none of these options is set: the value is the Python program's default
	Secret          bool   // Value is never printed
	Note            string // what an operator should know
	Refused         string // why this program would not accept it; "" if it does. A refused setting is a comment in the file
}

// A Remark is about an option or a line that leads to no variable.
type Remark struct {
	About   string // option and position, never a value
	Text    string
	Missing bool // a value that this program needs or reads, and that the operator must write into the file
}

// A Conversion is the environment file, and what cannot be in it.
type Conversion struct {
	Settings []Setting
	Remarks  []Remark
}

// Convert converts the options of a staffeln.conf. Each option of the Python program becomes a setting, also one that is not
// set, because this program may have another default; or a remark, if it is set and has no successor.
func Convert(file string, set []ConfOption) (c Conversion) {
	v, position := values{}, map[string]string{}
	for _, o := range options {
		if o.fallback != "" {
			v[o.name] = o.fallback
		}
	}
	unusable := map[string]string{}
	for _, o := range set {
		at := fmt.Sprintf("%s:%d: %s", file, o.Line, shown(o.Name))
		known, is := lookUp(o.Name)
		_, twice := position[o.Name]
		switch {
		case !is:
			c.remark(at, unknown(o.Name))
			continue
		case twice:
			c.remark(at, "set more than once: the last one counts, as before")
		case known.without != "":
			c.remark(at, "no successor: "+known.without)
		}
		position[o.Name] = at
		value, err := substitute(o.Value)
		delete(unusable, o.Name)
		if err != nil {
			unusable[o.Name] = err.Error()
		}
		v[o.Name] = value
	}
	used := map[string]bool{}
	for _, s := range successors {
		value, given, err := s.value(v)
		if !given && err == nil {
			continue
		}
		setting := Setting{Variable: s.variable, Value: value, Secret: s.secret, From: from(s.of), Default: true}
		if s.note != nil {
			setting.Note = s.note(v)
		}
		if err != nil {
			setting.Refused = err.Error()
		}
		for _, name := range s.of {
			used[name] = true
			if _, is := position[name]; is {
				setting.Default = false
			}
			if reason := unusable[name]; reason != "" {
				setting.Refused = reason
			}
		}
		c.Settings = append(c.Settings, setting)
	}
	for _, o := range options {
		if at := position[o.name]; at != "" && o.without == "" && !used[o.name] && v[o.name] != o.fallback {
			c.remark(at, "no effect beside the other options, here as before")
		}
	}
	return c
}

func (c *Conversion) remark(about, text string) {
	c.Remarks = append(c.Remarks, Remark{About: about, Text: text})
}

func lookUp(name string) (option, bool) {
	at := slices.IndexFunc(options, func(o option) bool { return o.name == name })
	if at < 0 {
		return option{without: inOldDatabase}, strings.HasPrefix(name, "database.")
	}
	return options[at], true
}

// unknown returns why an option is in no table: it may be one of another section, where the Python program does not read it.
func unknown(name string) string {
	_, plain, _ := strings.Cut(name, ".")
	for _, o := range options {
		if section, own, _ := strings.Cut(o.name, "."); own == plain {
			return fmt.Sprintf("unknown: the Python program reads %s only in [%s], so it had no effect, and has none here", shown(plain), section)
		}
	}
	return "unknown: no option of the Python program; left out"
}

// from returns the names of options as they are in the file.
func from(names []string) string {
	var all []string
	for _, name := range names {
		all = append(all, shown(name))
	}
	return strings.Join(all, ", ")
}

// shown returns section.name as [section] name.
func shown(name string) string {
	if section, plain, found := strings.Cut(name, "."); found {
		return "[" + section + "] " + plain
	}
	return name
}
