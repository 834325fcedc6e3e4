package main

import (
	"slices"

	"github.com/spf13/pflag"
)

// step is a command whose flags another one adopts.
type step struct {
	name  string
	flags *pflag.FlagSet
}

// adopt gives f the flags of all steps. A flag that only one step has keeps its name; the shared ones are one flag for
// all steps that have them; any other is there once for each step, under STEP-NAME. Those in without are left out.
func adopt(f *pflag.FlagSet, steps []step, shared, without []string) {
	holders := map[string][]pflag.Value{}
	for _, s := range steps {
		s.flags.VisitAll(func(flag *pflag.Flag) {
			holders[flag.Name] = append(holders[flag.Name], flag.Value)
		})
	}
	for _, s := range steps {
		s.flags.VisitAll(func(flag *pflag.Flag) {
			own := *flag
			values := holders[flag.Name]
			switch {
			case slices.Contains(without, flag.Name), f.Lookup(flag.Name) != nil:
				return
			case slices.Contains(shared, flag.Name):
				own.Value = several(values)
			case len(values) > 1:
				own.Name = s.name + "-" + flag.Name
				own.Usage = s.name + ": " + flag.Usage
			default:
				own.Usage = s.name + ": " + flag.Usage
			}
			f.AddFlag(&own)
		})
	}
}

// several is one flag for values that are to be equal.
type several []pflag.Value

func (v several) String() string { return v[0].String() }
func (v several) Type() string   { return v[0].Type() }

func (v several) Set(text string) error {
	for _, one := range v {
		if err := one.Set(text); err != nil {
			return err
		}
	}
	return nil
}
