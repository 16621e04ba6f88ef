package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/kelseyhightower/envconfig"

	"staffeln/internal/keyfile"
)

// prefix begins all our variables.
const prefix = "STAFFELN"

// load reads the configuration of a process from env (as os.Environ gives it) into the struct that spec points to, and
// answers all faults together: one for each variable, with its value unless that is a secret, and what is allowed.
//
// envconfig reads each value. Around it, because it does not: secrets from files (X_FILE), required values that are set
// and empty, further faults after the first, values that never appear in errors, and unknown variables.
func load(env []string, spec any) error {
	variables, groups := walk(prefix, reflect.ValueOf(spec).Elem())
	set := ours(env)
	faults := new(faults)
	for _, v := range variables {
		if err := v.read(set); err != nil {
			faults.add(v.name, err)
		}
	}
	for _, g := range groups {
		faults.addAll(g.prefix+"_", g.Validate())
	}
	known := known(variables)
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if !known[name] && !injected(name) {
			faults.add(name, errors.New("unknown; unset it, or spell it as docs/configuration.md does"))
		}
	}
	return faults.joined()
}

// ours picks the variables with our prefix.
func ours(env []string) map[string]string {
	set := map[string]string{}
	for _, line := range env {
		name, value, found := strings.Cut(line, "=")
		if found && strings.HasPrefix(name, prefix+"_") {
			set[name] = value
		}
	}
	return set
}

// known are the variables of all processes, so that all can share one environment.
func known(own []variable) map[string]bool {
	all := map[string]bool{}
	add := func(variables []variable) {
		for _, v := range variables {
			all[v.name] = true
			if v.secret() {
				all[v.file()] = true
			}
		}
	}
	add(own)
	for _, p := range processes() {
		variables, _ := walk(prefix, reflect.ValueOf(p.config).Elem())
		add(variables)
	}
	return all
}

// injected tells whether a name has the form of those that Kubernetes gives every container for each service of its
// namespace: with a service `staffeln-api`, STAFFELN_API_SERVICE_HOST, STAFFELN_API_PORT_8808_TCP and the like. No
// variable of ours has it; a test holds us to that.
func injected(name string) bool {
	return strings.HasSuffix(name, "_PORT") || strings.Contains(name, "_PORT_") || strings.HasSuffix(name, "_SERVICE_HOST")
}

// read reads one variable into its field.
func (v variable) read(set map[string]string) error {
	value, given := set[v.name]
	if path, fromFile := set[v.file()]; fromFile {
		if given {
			return fmt.Errorf("set, and %s too; want one of them", v.file())
		}
		content, err := keyfile.Secret(path)
		if err != nil {
			return fmt.Errorf("read %s: %w", v.file(), err)
		}
		value, given = content, true
	}
	switch {
	case v.has("required") && !given && v.secret():
		return fmt.Errorf("missing; required, here or as %s", v.file())
	case v.has("required") && !given:
		return errors.New("missing; required")
	case v.has("required") && value == "":
		return errors.New("empty; required")
	}
	if err := v.parse(value, given); err != nil {
		_ = v.parse("", false) // what holds between values is then judged with the default in its place
		if v.secret() {
			return fmt.Errorf("(a secret): want %s", v.allowed())
		}
		return fmt.Errorf("%.80q: want %s", value, v.allowed())
	}
	return v.inLimits()
}

// parse lets envconfig read the value, by a struct of this one field, so that a fault of one hides no other.
func (v variable) parse(value string, given bool) error {
	cut := strings.LastIndex(v.name, "_")
	single := reflect.New(reflect.StructOf([]reflect.StructField{{
		Name: v.name[cut+1:], Type: v.field.Type(), Tag: reflect.StructTag(fmt.Sprintf("default:%q", v.tag.Get("default"))),
	}}))
	defer lend(v.name, value, given)()
	if err := envconfig.Process(v.name[:cut], single.Interface()); err != nil {
		return err
	}
	v.field.Set(single.Elem().Field(0))
	return nil
}

// lend gives the environment a value, since envconfig reads nothing else, and answers what takes it back: a secret from
// a file is not to stay where every child process inherits it.
func lend(name, value string, given bool) (takeBack func()) {
	before, was := os.LookupEnv(name)
	if given {
		_ = os.Setenv(name, value) //nolint:forbidigo // as said; the name is one of ours, and valid
	} else {
		_ = os.Unsetenv(name)
	}
	return func() {
		if was {
			_ = os.Setenv(name, before) //nolint:forbidigo // as said
		} else {
			_ = os.Unsetenv(name)
		}
	}
}
