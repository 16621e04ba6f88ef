package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
)

// EnvFileVariable names an environment file, as the flag --env-file does.
const EnvFileVariable = prefix + "_ENV_FILE"

// StandardEnvFile is the environment file that is read if none is named and the environment has no variable of ours or of
// the cloud.
const StandardEnvFile = "/etc/staffeln/staffeln.env"

// A Source is where the variables of a process come from: its environment, and a file that completes it.
type Source struct {
	File   string   // empty: only the environment
	Read   int      // variables that the file has set
	Beside []string // variables of the file that have no effect, because the environment has them
	Public []string // variables with a secret in the file, if everybody on this machine may read it
	Hint   string   // why the standard file was not read, if it exists; empty otherwise
}

// ReadEnvFile completes the environment of this process by the variables of a file. What the environment has already wins
// over the file. The file is named if given is true (an empty name: no file), else by STAFFELN_ENV_FILE, else it is standard,
// if that can be read and the environment has no variable of ours or of the cloud. It is an error if a file that is named
// cannot be read, or if one has a line that cannot be understood.
func ReadEnvFile(named string, given bool, standard string) (Source, error) {
	by := "--env-file"
	if !given {
		by = EnvFileVariable
		named, given = os.LookupEnv(EnvFileVariable)
	}
	if given && named == "" {
		return Source{}, nil
	}
	if !given {
		switch set, err := configured(os.Environ()), readable(standard); {
		case errors.Is(err, fs.ErrNotExist):
			return Source{}, nil
		case set != "":
			return Source{Hint: fmt.Sprintf("%s was not read, because %s is set; to read it, too: --env-file %[1]s", standard, set)}, nil
		case err != nil:
			return Source{Hint: fmt.Sprintf("%v; run the command with sudo, or name another file with --env-file", err)}, nil
		}
		named = standard
	}
	text, err := os.ReadFile(named)
	if err != nil {
		return Source{}, fmt.Errorf("read environment file: %w; check %s", err, by)
	}
	all, err := parseEnvFile(named, string(text))
	if err != nil {
		return Source{}, err
	}
	return complete(named, all)
}

// complete sets the variables that the environment lacks. A secret and the file that contains it are one variable for this:
// OS_PASSWORD in the environment wins over OS_PASSWORD_FILE in the file.
func complete(file string, all []assignment) (s Source, err error) {
	s.File = file
	about, err := os.Stat(file)
	if err != nil {
		return s, fmt.Errorf("read environment file: %w", err)
	}
	secret := secrets()
	before := map[string]bool{}
	for _, line := range os.Environ() {
		name, _, _ := strings.Cut(line, "=")
		before[name] = true
	}
	set := map[string]bool{}
	for _, a := range all {
		plain := strings.TrimSuffix(a.name, "_FILE")
		switch {
		case a.name == EnvFileVariable:
			return s, fmt.Errorf("%s: %s: an environment file cannot name another one; remove it", file, EnvFileVariable)
		case before[a.name] || secret[plain] && (before[plain] || before[plain+"_FILE"]):
			s.Beside = append(s.Beside, a.name)
			continue
		case secret[a.name] && a.value != "" && about.Mode().Perm()&0o004 != 0:
			s.Public = append(s.Public, a.name)
		}
		if err := os.Setenv(a.name, a.value); err != nil {
			return s, fmt.Errorf("set %s of %s: %w", a.name, file, err)
		}
		set[a.name] = true
	}
	slices.Sort(s.Beside)
	s.Beside, s.Read = slices.Compact(s.Beside), len(set)
	return s, nil
}

// String describes the source.
func (s Source) String() string {
	if s.File == "" {
		return "read from the environment"
	}
	text := fmt.Sprintf("read from the environment and %s (%d variables)", s.File, s.Read)
	if len(s.Beside) > 0 {
		text += "; the environment wins for " + strings.Join(s.Beside, ", ")
	}
	return text
}

// Warning returns what is wrong with the file, or "".
func (s Source) Warning() string {
	if len(s.Public) == 0 {
		return ""
	}
	return fmt.Sprintf("%s: every user of this machine may read it, and it contains %s: chmod 600 it", s.File, strings.Join(s.Public, ", "))
}

// configured returns a variable of ours or of the cloud that env has, or "".
func configured(env []string) string {
	for _, line := range env {
		name, _, _ := strings.Cut(line, "=")
		if strings.HasPrefix(name, "OS_") || strings.HasPrefix(name, prefix+"_") && !injected(name) {
			return name
		}
	}
	return ""
}

// readable returns why a file cannot be read.
func readable(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	return f.Close()
}

// secrets returns the variables whose values can be in a file that the variable with _FILE added names.
func secrets() map[string]bool {
	all := map[string]bool{"OS_PASSWORD": true}
	for _, p := range Processes() {
		variables, _ := walk(prefix, reflect.ValueOf(p.Config).Elem())
		for _, v := range variables {
			if v.secret() {
				all[v.name] = true
			}
		}
	}
	return all
}
