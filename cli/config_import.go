package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"staffeln/internal/config/python"
	"staffeln/internal/visible"
)

func configCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "config", Short: "Converts the configuration of the Python program.",
		Long:    "Converts the configuration of the Python program. It reads no variables.",
		Example: "  staffeln config import /etc/staffeln/staffeln.conf /etc/staffeln/openrc", Args: NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return UsageError{fmt.Errorf("name a subcommand; see %s --help", cmd.CommandPath())}
		},
	}
	c.AddCommand(configImportCommand())
	return c
}

func configImportCommand() *cobra.Command {
	var output string
	var force bool
	c := &cobra.Command{
		Use: "import STAFFELN.CONF [OPENRC]", Short: "Writes an environment file from staffeln.conf and an openrc.",
		Long: "Writes an environment file from staffeln.conf and an openrc of the Python program.\n\nEach option becomes a variable with the value that was in effect, defaults included, or a comment with the reason.\n" +
			"What this program would refuse is a comment, too, and then the exit code is 1. The openrc is read and not executed. Standard error lists what needs attention, without secrets; the file has\n" +
			"them as they were, so it is readable by its owner only. It reads no variables.",
		Example: "  staffeln config import /etc/staffeln/staffeln.conf /etc/staffeln/openrc --output staffeln.env\n" +
			"  staffeln config import staffeln.conf",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return UsageError{fmt.Errorf("%s: want the staffeln.conf, and the openrc if there is one; see %[1]s --help", cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			text, report, toCorrect, err := convert(args)
			if err != nil {
				return fmt.Errorf("import configuration: %w", err)
			}
			if output == "" {
				_, err = fmt.Fprint(cmd.OutOrStdout(), text)
			} else {
				err = writePrivate(output, text, force)
			}
			if err != nil {
				return fmt.Errorf("import configuration: %w", err)
			}
			for _, line := range report {
				_, _ = fmt.Fprintln(cmd.ErrOrStderr(), visible.Text(line)) // to a terminal
			}
			if toCorrect > 0 {
				return fmt.Errorf("import configuration: lines with REFUSED or MISSING: %d; they are only comments in the file: correct them there, or this program's own defaults apply", toCorrect)
			}
			return nil
		},
	}
	c.Flags().StringVar(&output, "output", "", "file to write, readable by its owner only; default: standard output")
	c.Flags().BoolVar(&force, "force", false, "replaces the file of --output if it exists")
	return c
}

// convert returns the environment file, and what to report about it.
func convert(files []string) (text string, report []string, toCorrect int, err error) {
	read := func(file string) (string, error) {
		text, err := os.ReadFile(file)
		return string(text), err
	}
	conf, err := read(files[0])
	if err != nil {
		return "", nil, 0, err
	}
	options, err := python.ParseConf(files[0], conf)
	if err != nil {
		return "", nil, 0, fmt.Errorf("%w\nnothing is written: correct these lines", err)
	}
	all := []python.Conversion{python.Convert(files[0], options)}
	if err := all[0].Check(); err != nil {
		return "", nil, 0, err
	}
	if len(files) > 1 {
		openrc, err := read(files[1])
		if err != nil {
			return "", nil, 0, err
		}
		variables, unread := python.ParseOpenrc(openrc)
		cloud := python.ConvertCloud(files[1], variables, unread)
		cloud.CheckCloud(files[1])
		all = append([]python.Conversion{cloud}, all...)
	}
	report, toCorrect = python.Report(all...)
	return python.File(all...), report, toCorrect, nil
}

// writePrivate writes a file that only its owner may read. It replaces an existing one only if force is true, and then all at
// once.
func writePrivate(file, text string, force bool) error {
	if _, err := os.Lstat(file); err == nil && !force {
		return fmt.Errorf("%s exists: name another file, or replace it with --force", file)
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), ".staffeln-*.env") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }() // it is gone after a success of Rename
	_, err = temporary.WriteString(text)
	if err = errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return fmt.Errorf("write %s: %w", temporary.Name(), err)
	}
	if force {
		return os.Rename(temporary.Name(), file)
	}
	if err := os.Link(temporary.Name(), file); errors.Is(err, fs.ErrExist) { // unlike Rename it replaces nothing
		return fmt.Errorf("%s exists: name another file, or replace it with --force", file)
	} else if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}
