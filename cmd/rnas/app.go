package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"strings"

	"rnas/internal/fault"

	"github.com/spf13/pflag"
)

// command is one row of the dispatch table.
type command struct {
	name    string
	args    string // of the usage line
	summary string
	detail  string // further paragraphs of its help; "" for none
	// setup declares the flags and returns what is done after they are parsed.
	setup func(f *pflag.FlagSet) action
}

// action does the work of a command. Its errors decide on the exit status, see status.
type action func(ctx context.Context, c *console, args []string) error

// console is where a command prints: results to out, everything for people to err.
type console struct {
	out, err io.Writer
	words    []string // the command line
}

// run is the program: it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals...)
	defer stop()
	context.AfterFunc(ctx, stop) // the next signal ends the process
	c := &console{out: stdout, err: stderr, words: append([]string{"rnas"}, args...)}
	err := dispatch(ctx, c, args)
	if err != nil && !errors.As(err, new(silent)) {
		fmt.Fprintf(stderr, "rnas: %v\n", err)
	}
	return status(err)
}

func dispatch(ctx context.Context, c *console, args []string) error {
	if len(args) == 0 {
		printOverview(c.err)
		return silent{fault.Inputf("no command")}
	}
	switch args[0] {
	case "--version", "version":
		fmt.Fprintf(c.out, "rnas %s\n", versionText())
		return nil
	case "--help", "-h", "help":
		return help(c, args[1:])
	}
	cmd, err := lookup(args[0])
	if err != nil {
		return err
	}
	f := newFlagSet(cmd.name)
	do := cmd.setup(f)
	if err := f.Parse(args[1:]); errors.Is(err, pflag.ErrHelp) {
		return help(c, args[:1])
	} else if err != nil {
		return fault.Inputf("%s: %w; see rnas help %s", cmd.name, err, cmd.name)
	}
	if err := do(ctx, c, f.Args()); err != nil {
		return fmt.Errorf("%s: %w", cmd.name, err)
	}
	return nil
}

func newFlagSet(name string) *pflag.FlagSet {
	f := pflag.NewFlagSet(name, pflag.ContinueOnError)
	f.SortFlags = false
	f.Usage = func() {}
	return f
}

// lookup finds a command by its name.
func lookup(name string) (command, error) {
	for _, cmd := range commands() {
		if cmd.name == name {
			return cmd, nil
		}
	}
	return command{}, fault.Inputf("unknown command %q; see rnas help", name)
}

// arguments checks the number of positional arguments.
func arguments(args []string, least, most int, what string) error {
	if len(args) < least || len(args) > most {
		found := "none"
		if len(args) > 0 {
			found = strings.Join(args, " ")
		}
		return fault.Inputf("expected %s, found %s", what, found)
	}
	return nil
}
