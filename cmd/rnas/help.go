package main

import (
	"fmt"
	"io"
	"runtime/debug"
	"text/tabwriter"
)

// usageWidth is the number of columns of the text about flags.
const usageWidth = 100

// help prints the overview, or the usage of one command.
func help(c *console, args []string) error {
	if len(args) == 0 {
		printOverview(c.out)
		return nil
	}
	if err := arguments(args, 1, 1, "the name of one command"); err != nil {
		return err
	}
	cmd, err := lookup(args[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "rnas %s: %s\n\nUsage: rnas %s", cmd.name, cmd.summary, cmd.name)
	if cmd.args != "" {
		fmt.Fprintf(c.out, " %s", cmd.args)
	}
	fmt.Fprintln(c.out, " [flags]")
	if cmd.detail != "" {
		fmt.Fprintf(c.out, "\n%s\n", cmd.detail)
	}
	f := newFlagSet(cmd.name)
	cmd.setup(f)
	fmt.Fprintf(c.out, "\nFlags:\n%s", f.FlagUsagesWrapped(usageWidth))
	return nil
}

func printOverview(w io.Writer) {
	fmt.Fprint(w, "rnas finds, trains, compiles and measures robust image classifiers on ONNX Runtime.\n\nUsage: rnas COMMAND [flags]\n\nCommands:\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, cmd := range commands() {
		fmt.Fprintf(t, "  %s\t%s\n", cmd.name, cmd.summary)
	}
	fmt.Fprint(t, "  help\tprints the usage of a command\n")
	t.Flush()
	fmt.Fprint(w, "\nrnas help COMMAND tells its flags, rnas --version the version.\n")
}

// version is set by the linker in release builds.
var version string

// versionText is the version of the program: the linker's, else that of the module as the Go command saw it.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
