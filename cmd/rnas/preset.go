package main

import (
	"strings"

	"github.com/spf13/pflag"

	"rnas/internal/fault"
)

// setting is a flag of rnas run and its value.
type setting struct{ flag, value string }

// preset is a named set of flag values. A flag that is given on the command line wins.
type preset struct {
	name, about string
	settings    []setting
}

func presets() []preset {
	return []preset{
		{"demo", "a few minutes on two cores, with a random cell trained alike", []setting{
			{"data", "synthetic:size=16,train=4000,test=1000"},
			{"compare", "true"},
			{"search-channels", "8"},
			{"search-layers", "3"},
			{"search-batch", "32"},
			{"search-epochs", "2"},
			{"steps", "30"},
			{"alpha-lr", "0.01"},
			{"train-channels", "8"},
			{"train-layers", "5"},
			{"train-batch", "64"},
			{"train-epochs", "14"},
			{"train-lr", "0.2"},
			{"recipe", "fast"},
			{"bench-limit", "500"},
			{"attacks", "clean,fgsm,pgd20"},
		}},
		{"small", "one to two hours on two cores, for images of the size of CIFAR's", []setting{
			{"search-channels", "8"},
			{"search-layers", "5"},
			{"search-batch", "32"},
			{"search-epochs", "2"},
			{"search-limit", "5000"},
			{"alpha-lr", "0.01"},
			{"train-channels", "16"},
			{"train-layers", "5"},
			{"train-batch", "64"},
			{"train-epochs", "8"},
			{"train-lr", "0.1"},
			{"recipe", "fast"},
			{"schedule", "one-cycle"},
			{"attacks", "clean,fgsm,pgd20"},
		}},
		{"darts", "the setting of DARTS and of robust evaluation, for a GPU", []setting{
			{"search-channels", "16"},
			{"search-layers", "8"},
			{"search-batch", "64"},
			{"search-epochs", "50"},
			{"train-channels", "36"},
			{"train-layers", "20"},
			{"train-batch", "64"},
			{"train-epochs", "105"},
			{"train-lr", "0.1"},
			{"recipe", "pgd"},
			{"schedule", "step"},
			{"milestones", "99"},
			{"train-weight-decay", "1e-4"},
			{"attacks", "clean,fgsm,pgd20,pgd100"},
		}},
	}
}

func presetUsage() string {
	var b strings.Builder
	b.WriteString("set of flag values:")
	for _, p := range presets() {
		b.WriteString("\n" + p.name + ": " + p.about)
	}
	return b.String()
}

// applyPreset sets the flags of a preset that are not given.
func applyPreset(f *pflag.FlagSet, name string) error {
	var names []string
	for _, p := range presets() {
		names = append(names, p.name)
		if p.name != name {
			continue
		}
		for _, s := range p.settings {
			flag := f.Lookup(s.flag)
			if flag.Changed {
				continue
			}
			if err := flag.Value.Set(s.value); err != nil {
				return err
			}
		}
		return nil
	}
	return fault.Inputf("--preset: expected %s, found %q", strings.Join(names, ", "), name)
}
