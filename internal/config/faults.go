package config

import (
	"errors"
	"fmt"
	"strings"
)

// faults collects what is wrong with a configuration: one fault for each variable. Processes share structs, and a
// struct may validate what could not be read; the first fault of a variable counts.
type faults struct {
	all  []error
	seen map[string]bool
}

func (f *faults) add(variable string, err error) {
	if f.seen == nil {
		f.seen = map[string]bool{}
	}
	if !f.seen[variable] {
		f.seen[variable] = true
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
