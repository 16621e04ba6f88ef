// Package config loads the configuration of the processes from the environment and writes docs/configuration.md.
package config

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

// prefix begins the name of every variable of ours.
const prefix = "STAFFELN"

// Load reads the configuration of a process from env (in the form of os.Environ) into the struct that spec points to.
// It returns all faults at once: one for each variable, with its value unless that is a secret, and what is allowed.
//
// envconfig parses each value. Load adds what envconfig lacks: secrets from files (X_FILE), required values that are set
// but empty, all faults instead of the first, errors without secret values, and unknown variables.
func Load(env []string, spec any) error {
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

// IsSet reports whether the environment sets a variable.
func IsSet(variable string) bool {
	_, set := os.LookupEnv(variable)
	return set
}

// ours returns the variables that have our prefix.
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

// known returns the variables of all processes, because all may share one environment.
func known(own []variable) map[string]bool {
	all := map[string]bool{EnvFileVariable: true}
	add := func(variables []variable) {
		for _, v := range variables {
			all[v.name] = true
			if v.secret() {
				all[v.file()] = true
			}
		}
	}
	add(own)
	for _, p := range Processes() {
		variables, _ := walk(prefix, reflect.ValueOf(p.Config).Elem())
		add(variables)
	}
	return all
}

// injected reports whether a name has the form that Kubernetes gives the variables of a service: for a service
// `staffeln-api` every container of the namespace gets STAFFELN_API_SERVICE_HOST, STAFFELN_API_PORT_8808_TCP and so on.
// A test makes sure that no variable of ours has this form.
func injected(name string) bool {
	return strings.HasSuffix(name, "_PORT") || strings.Contains(name, "_PORT_") || strings.HasSuffix(name, "_SERVICE_HOST")
}

// read reads one variable into its field.
func (v variable) read(set map[string]string) error {
	value, given := set[v.name]
	if path, fromFile := set[v.file()]; fromFile {
		if given {
			return fmt.Errorf("set, and %s too; set only one of them", v.file())
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
		_ = v.parse("", false) // rules between values are then checked with the default instead
		if v.secret() {
			return fmt.Errorf("(a secret): want %s", v.allowed())
		}
		return fmt.Errorf("%.80q: want %s", value, v.allowed())
	}
	return v.inLimits()
}

// parse has envconfig parse the value, in a struct of this one field, so that one fault hides no other.
func (v variable) parse(value string, given bool) error {
	cut := strings.LastIndex(v.name, "_")
	single := reflect.New(reflect.StructOf([]reflect.StructField{{
		Name: v.name[cut+1:], Type: v.field.Type(), Tag: reflect.StructTag(fmt.Sprintf("default:%q", v.tag.Get("default"))),
	}}))
	defer setTemporarily(v.name, value, given)()
	if err := envconfig.Process(v.name[:cut], single.Interface()); err != nil {
		return err
	}
	v.field.Set(single.Elem().Field(0))
	return nil
}

// setTemporarily sets a variable of the environment, because envconfig reads nothing else, and returns what restores it:
// child processes must not inherit a secret that came from a file.
func setTemporarily(name, value string, given bool) (restore func()) {
	before, was := os.LookupEnv(name)
	if given {
		_ = os.Setenv(name, value) // the name is one of ours, and valid
	} else {
		_ = os.Unsetenv(name)
	}
	return func() {
		if was {
			_ = os.Setenv(name, before) // as above
		} else {
			_ = os.Unsetenv(name)
		}
	}
}
