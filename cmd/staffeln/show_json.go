package main

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// jsonHelp describes the JSON of a view by the tags of its struct. What stands in several places is described once.
func jsonHelp(example answer) string {
	d := describer{told: map[reflect.Type]bool{}}
	d.describe(reflect.TypeOf(example), "")
	return strings.TrimRight(d.String(), "\n")
}

type describer struct {
	strings.Builder

	told map[reflect.Type]bool
}

func (d *describer) describe(t reflect.Type, indent string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() || d.told[t] {
		return
	}
	d.told[t] = true
	for field := range t.Fields() {
		if field.Anonymous {
			if d.told[field.Type] {
				d.line(indent+"volume_id ... project_name", "as above")
			}
			d.describe(field.Type, indent)
			continue
		}
		name := field.Tag.Get("json")
		if name == "" {
			continue
		}
		if field.Type.Kind() == reflect.Slice {
			name += "[]"
		}
		d.line(indent+name, field.Tag.Get("desc"))
		d.describe(field.Type, indent+"  ")
	}
}

func (d *describer) line(name, words string) {
	_, _ = fmt.Fprintf(d, "  %-33s %s\n", name, words) // into memory
}
