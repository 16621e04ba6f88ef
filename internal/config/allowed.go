package config

import (
	"fmt"
	"reflect"
	"strconv"

	"staffeln/backup"
	"staffeln/internal/telemetry"
)

// allowed describes the values of a variable. Faults and docs/configuration.md use the same words.
func (v variable) allowed() string {
	text := v.form()
	if limit := v.tag.Get("min"); limit != "" {
		text += ", at least " + limit
	}
	if limit := v.tag.Get("max"); limit != "" {
		text += ", at most " + limit
	}
	return text
}

func (v variable) form() string {
	switch v.field.Interface().(type) {
	case backup.Duration:
		return "seconds, or a time such as 30min or 6h"
	case backup.Period:
		return "a period such as 2w3d or 1mon, or seconds"
	case backup.Zones:
		return "zone=backupzone, comma-separated"
	case telemetry.Level:
		return "debug, info, warn or error"
	case telemetry.Format:
		return "json or console"
	}
	switch v.field.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		if unit := v.tag.Get("unit"); unit != "" {
			return "a whole number of " + unit
		}
		return "a whole number"
	case reflect.Slice:
		if v.field.Type().Elem().Kind() == reflect.Int {
			return "whole numbers, comma-separated"
		}
		return "a list, comma-separated"
	case reflect.String:
		return "text"
	}
	return v.field.Type().String() // a new kind of field: a test fails until it is described above
}

// inLimits checks a value against the limits in its tags, which are written in the variable's own notation.
func (v variable) inLimits() error {
	var value int64
	var read func(string) (int64, error)
	switch held := v.field.Interface().(type) {
	case backup.Duration:
		value = int64(held)
		read = func(s string) (int64, error) {
			var d backup.Duration
			err := d.UnmarshalText([]byte(s))
			return int64(d), err
		}
	case int:
		value = int64(held)
		read = func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }
	default:
		return nil
	}
	for name, within := range map[string]func(limit int64) bool{
		"min": func(limit int64) bool { return value >= limit },
		"max": func(limit int64) bool { return value <= limit },
	} {
		text := v.tag.Get(name)
		if text == "" {
			continue
		}
		limit, err := read(text)
		if err != nil {
			return fmt.Errorf("read limit %s in the tag of the struct: %w", name, err)
		}
		if !within(limit) {
			return fmt.Errorf("%v: want %s", v.field.Interface(), v.allowed())
		}
	}
	return nil
}
