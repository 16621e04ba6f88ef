package config

import (
	"encoding"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// A variable is one field of a configuration, as envconfig sees it.
type variable struct {
	name  string // STAFFELN_POLL_PERIOD
	field reflect.Value
	tag   reflect.StructTag
}

func (v variable) has(tag string) bool {
	on, err := strconv.ParseBool(v.tag.Get(tag))
	return err == nil && on
}

func (v variable) secret() bool { return v.has("secret") }

// file returns the variable that names a file with the value, or "" if the value is no secret.
func (v variable) file() string {
	if !v.secret() {
		return ""
	}
	return v.name + "_FILE"
}

// fallback returns what applies if the variable is not set.
func (v variable) fallback() string {
	switch value := v.tag.Get("default"); {
	case v.has("required"):
		return "required"
	case value == "":
		return "none"
	default:
		return "`" + value + "`"
	}
}

// A validator is a struct that checks rules between its fields. Each of its joined errors begins with the variable's name
// without the prefix of the struct.
type validator interface{ Validate() error }

// A group is a struct within a configuration that validates itself, and the prefix of its variables.
type group struct {
	prefix string
	validator
}

// walk returns the variables and groups of a struct by envconfig's own rules, which a test compares: the name of a field
// that is a struct and reads no text itself becomes part of its fields' prefix, unless the struct is embedded.
func walk(prefix string, s reflect.Value) (variables []variable, groups []group) {
	if v, ok := reflect.TypeAssert[validator](s.Addr()); ok {
		groups = append(groups, group{prefix, v})
	}
	for i := range s.NumField() {
		field, about := s.Field(i), s.Type().Field(i)
		if !field.CanSet() {
			continue
		}
		name := prefix + "_" + upper(about)
		_, readsText := reflect.TypeAssert[encoding.TextUnmarshaler](field.Addr())
		if field.Kind() != reflect.Struct || readsText {
			variables = append(variables, variable{name, field, about.Tag})
			continue
		}
		inner := name
		if about.Anonymous {
			inner = prefix
		}
		v, g := walk(inner, field)
		variables, groups = append(variables, v...), append(groups, g...)
	}
	return variables, groups
}

var (
	words   = regexp.MustCompile(`([^A-Z]+|[A-Z]+[^A-Z]+|[A-Z]+)`)
	acronym = regexp.MustCompile(`([A-Z]+)([A-Z][^A-Z]+)`)
)

// upper returns a field's name as part of a variable's name: RPOGrace becomes RPO_GRACE.
func upper(field reflect.StructField) string {
	name := field.Name
	if split, err := strconv.ParseBool(field.Tag.Get("split_words")); err == nil && split {
		parts := words.FindAllString(name, -1)
		for i, part := range parts {
			parts[i] = acronym.ReplaceAllString(part, "${1}_${2}")
		}
		name = strings.Join(parts, "_")
	}
	return strings.ToUpper(name)
}
