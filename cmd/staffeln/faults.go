package main

import (
	"errors"
	"fmt"
	"strings"
)

// faults gathers what is wrong with a configuration. Processes share structs, so the same fault may be found twice;
// it is told once.
type faults struct {
	all  []error
	told map[string]bool
}

func (f *faults) none() bool { return len(f.all) == 0 }

func (f *faults) add(err error) {
	if f.told == nil {
		f.told = map[string]bool{}
	}
	if !f.told[err.Error()] {
		f.told[err.Error()] = true
		f.all = append(f.all, err)
	}
}

// addAll adds each of the joined errors, with the prefix of the struct that found them.
func (f *faults) addAll(prefix string, err error) {
	var several interface{ Unwrap() []error }
	switch {
	case err == nil:
	case errors.As(err, &several) && strings.Contains(err.Error(), "\n"):
		for _, one := range several.Unwrap() {
			f.addAll(prefix, one)
		}
	default:
		f.add(fmt.Errorf("%s%w", prefix, err))
	}
}

func (f *faults) joined() error { return errors.Join(f.all...) }
