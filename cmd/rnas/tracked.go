package main

import (
	"strings"

	"github.com/spf13/pflag"
)

// tracked is the value of a flag that knows whether it was set, also where another command has adopted the flag.
type tracked struct {
	pflag.Value
	set bool
}

// Set sets the value.
func (t *tracked) Set(text string) error {
	if err := t.Value.Set(text); err != nil {
		return err
	}
	t.set = true
	return nil
}

// track makes the flags of f know whether they were set.
func track(f *pflag.FlagSet) {
	f.VisitAll(func(flag *pflag.Flag) { flag.Value = &tracked{Value: flag.Value} })
}

// given reports whether a flag of a tracked set was set.
func given(f *pflag.FlagSet, name string) bool {
	flag := f.Lookup(name)
	if flag == nil {
		return false
	}
	t, ok := flag.Value.(*tracked)
	return ok && t.set
}

// copyGiven sets those flags of to that were given in from, a tracked set.
func copyGiven(to, from *pflag.FlagSet) (err error) {
	from.VisitAll(func(flag *pflag.Flag) {
		if err == nil && to.Lookup(flag.Name) != nil && given(from, flag.Name) {
			err = to.Set(flag.Name, textOf(flag))
		}
	})
	return err
}

// textOf is the value of a flag as it is given, without the brackets around a list.
func textOf(flag *pflag.Flag) string {
	if strings.HasSuffix(flag.Value.Type(), "Slice") {
		return strings.Trim(flag.Value.String(), "[]")
	}
	return flag.Value.String()
}
