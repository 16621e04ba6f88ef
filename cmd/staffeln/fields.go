package main

import (
	"encoding"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// A variable is one field of a process's configuration, as envconfig sees it.
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

// file is the variable that names a file with the value; empty where the value is no secret.
func (v variable) file() string {
	if !v.secret() {
		return ""
	}
	return v.name + "_FILE"
}

// A validator is a struct that knows what must hold between its fields. Its errors, joined, begin with the variable
// without the prefix of the struct.
type validator interface{ Validate() error }

// A group is a struct of a configuration that validates itself, and the prefix of its variables.
type group struct {
	prefix string
	validator
}

// walk lists the variables and groups of a struct by envconfig's own rules (a test compares the two): a field that is a
// struct and does not read text itself gives its name to its fields' prefix, unless it is embedded.
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

// upper writes a field's name as a variable's: RPOGrace is RPO_GRACE.
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
