package main

import (
	"errors"
	"fmt"
	"strings"
)

// faults gathers what is wrong with a configuration: one fault for each variable. Processes share structs, and a
// struct may judge what could not be read; what was said first about a variable stands.
type faults struct {
	all  []error
	told map[string]bool
}

func (f *faults) add(variable string, err error) {
	if f.told == nil {
		f.told = map[string]bool{}
	}
	if !f.told[variable] {
		f.told[variable] = true
		f.all = append(f.all, fmt.Errorf("%s: %w", variable, err))
	}
}

// addAll adds each of the errors that a struct joined, under the prefix of the struct's variables.
func (f *faults) addAll(prefix string, err error) {
	if err == nil {
		return
	}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			f.addAll(prefix, one)
		}
		return
	}
	variable, what, found := strings.Cut(err.Error(), ": ")
	if !found {
		variable, what = "configuration", err.Error()
	}
	f.add(prefix+variable, errors.New(what))
}

func (f *faults) joined() error { return errors.Join(f.all...) }
