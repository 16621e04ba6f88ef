package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// TerminalSize returns the columns and rows of the terminal that out is; ok reports whether it is one.
func TerminalSize(out io.Writer) (columns, rows int, ok bool) {
	file, isFile := out.(*os.File)
	if !isFile {
		return 0, 0, false
	}
	columns, rows, err := term.GetSize(int(file.Fd())) //nolint:gosec // a descriptor fits
	return columns, rows, err == nil && columns > 0
}

// isTerminal reports whether a standard stream is a terminal.
func isTerminal(stream any) bool {
	file, isFile := stream.(*os.File)
	return isFile && term.IsTerminal(int(file.Fd())) //nolint:gosec // a descriptor fits
}

// useColours reports whether out is a terminal whose user did not turn colours off (no-color.org).
func useColours(out io.Writer) bool {
	return isTerminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
