package main

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"

	"staffeln/internal/testkit/private"
)

// missingTool is something that this run needs and the machine does not have.
type missingTool struct {
	what     string
	packages []string // Debian packages that provide it
}

// missing returns what the command needs and the machine does not have.
func missing(ctx context.Context, command []string) []missingTool {
	var found []missingTool
	if os.Getenv(databaseVariable) == "" {
		if _, err := private.FindPostgres(); err != nil {
			found = append(found, missingTool{"a Postgres server", []string{"postgresql"}})
		}
	}
	if os.Getenv(redisVariable) == "" {
		if _, err := private.FindRedis(); err != nil {
			found = append(found, missingTool{"a Redis server", []string{"redis-server"}})
		}
	}
	if wantsRace(command) && !canCompileC(ctx) {
		found = append(found, missingTool{"a C compiler, for go test -race", []string{"gcc", "libc6-dev"}})
	}
	if wantsPromtool(command) {
		if _, err := private.FindPromtool(); err != nil {
			found = append(found, missingTool{"promtool, for the tests of metrics and alerts", []string{"prometheus"}})
		}
	}
	if wantsBrowser(command) {
		if _, err := private.FindChromium(); err != nil {
			found = append(found, missingTool{"a browser, for go test -tags browser", []string{"chromium"}})
		}
	}
	return found
}

// wantsPromtool reports whether the command, or one inside a shell's argument, tests the packages of the end-to-end tests that
// check metrics and alerts.
func wantsPromtool(command []string) bool {
	for _, argument := range command {
		for word := range strings.FieldsSeq(argument) {
			_, below, found := strings.Cut(word, "internal/e2e/")
			if found && slices.Contains([]string{"...", "deploy", "process"}, below) {
				return true
			}
		}
	}
	return false
}

// wantsBrowser reports whether the command, or one inside a shell's argument, runs the browser tests.
func wantsBrowser(command []string) bool {
	before := ""
	for _, argument := range command {
		for word := range strings.FieldsSeq(argument) {
			name, tags, joined := strings.Cut(strings.TrimLeft(word, "-"), "=")
			if strings.TrimLeft(before, "-") == "tags" && !joined {
				name, tags = "tags", word
			}
			if name == "tags" && slices.Contains(strings.Split(tags, ","), "browser") {
				return true
			}
			before = word
		}
	}
	return false
}

// wantsRace reports whether the command, or one inside a shell's argument, uses the race detector.
func wantsRace(command []string) bool {
	for _, argument := range command {
		for word := range strings.FieldsSeq(argument) {
			if word == "-race" || word == "--race" {
				return true
			}
		}
	}
	return false
}

// canCompileC reports whether a C program with a header of the C library can be built: gcc alone has no such headers.
func canCompileC(ctx context.Context) bool {
	compiler := os.Getenv("CC")
	if compiler == "" {
		compiler = "gcc"
	}
	cmd := exec.CommandContext(ctx, compiler, "-x", "c", "-o", os.DevNull, "-")
	cmd.Stdin = strings.NewReader("#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n")
	return cmd.Run() == nil
}

// describe returns the missing things as text, and the packages that provide them.
func describe(tools []missingTool) (what string, packages []string) {
	words := make([]string, 0, len(tools))
	for _, missingTool := range tools {
		words = append(words, missingTool.what)
		packages = append(packages, missingTool.packages...)
	}
	return strings.Join(words, "; "), packages
}
