package main

import (
	"context"
	"fmt"

	"rnas/internal/fault"

	"github.com/spf13/pflag"

	"rnas/compiler/lower"
	"rnas/genotype"
)

// size is how large a network is.
type size struct {
	Channels  int   `json:"channels"`
	Layers    int   `json:"layers"`
	Classes   int   `json:"classes"`
	Params    int64 `json:"params"`               // without the auxiliary head
	ParamsAux int64 `json:"params_aux,omitempty"` // with it, if there is one
	MACs      int64 `json:"macs"`                 // multiply-adds of one image
}

func (s size) String() string {
	aux := ""
	if s.ParamsAux > 0 {
		aux = fmt.Sprintf(" %d with auxiliary head,", s.ParamsAux)
	}
	return fmt.Sprintf("%d channels, %d layers, %d classes: %d parameters,%s %.1f million multiply-adds",
		s.Channels, s.Layers, s.Classes, s.Params, aux, millions(s.MACs))
}

func millions(n int64) float64 { return float64(n) / 1e6 }

// measure counts a network by lowering it.
func measure(m lower.Macro, g genotype.Genotype) (size, error) {
	s := size{Channels: m.Channels, Layers: m.Layers, Classes: m.Classes}
	n := lower.Evaluation{Macro: m, Genotype: g}
	if err := n.Validate(); err != nil {
		return s, err
	}
	params, err := lower.Params(n, false)
	if err != nil {
		return s, err
	}
	s.Params = lower.Count(params)
	if n.Aux = g.Form.HasAuxiliary(); n.Aux {
		if params, err = lower.Params(n, true); err != nil {
			return s, err
		}
		s.ParamsAux = lower.Count(params)
	}
	s.MACs, err = lower.MACs(n)
	return s, err
}

// zooEntry is a line of the list in its JSON form.
type zooEntry struct {
	Name     string            `json:"name"`
	Source   string            `json:"source"`
	Note     string            `json:"note,omitempty"`
	Size     size              `json:"size"`
	Genotype genotype.Genotype `json:"genotype"`
}

// published gives the flags that were not set the size that an entry was counted with.
func (m macroFlags) published(f *pflag.FlagSet, e genotype.Entry) macroFlags {
	if !f.Changed("channels") {
		m.channels = e.Channels
	}
	// Every cell of RobNet_free has links of its own.
	if !f.Changed("layers") || len(e.Genotype.Links) > 1 {
		m.layers = e.Layers
	}
	return m
}

func zooCommand(f *pflag.FlagSet) action {
	var m macroFlags
	m.add(f, 36, 20)
	m.addClasses(f)
	asJSON := addJSON(f)
	return func(_ context.Context, c *console, args []string) error {
		if err := arguments(args, 0, 1, "at most the name of one genotype"); err != nil {
			return err
		}
		entries := genotype.Zoo()
		if len(args) == 1 {
			e, err := genotype.Lookup(args[0])
			if err != nil {
				return fault.Input(err)
			}
			entries = []genotype.Entry{e}
		}
		list := make([]zooEntry, len(entries))
		for i, e := range entries {
			s, err := measure(m.published(f, e).cifar(), e.Genotype)
			if err != nil {
				return fault.Input(err)
			}
			list[i] = zooEntry{Name: e.Name, Source: e.Source, Note: e.Note, Size: s, Genotype: e.Genotype}
		}
		switch {
		case *asJSON && len(args) == 1:
			return printJSON(c.out, list[0])
		case *asJSON:
			return printJSON(c.out, list)
		case len(args) == 1:
			printEntry(c, list[0])
			return nil
		}
		return printZoo(c, list)
	}
}

// printEntry prints a genotype as a file that genotype.Parse reads.
func printEntry(c *console, e zooEntry) {
	fmt.Fprintf(c.out, "# %s\n", e.Source)
	if e.Note != "" {
		fmt.Fprintf(c.out, "# %s\n", e.Note)
	}
	fmt.Fprintf(c.out, "# %s\n%s = %s\n", e.Size, e.Name, e.Genotype)
}

func printZoo(c *console, list []zooEntry) error {
	t := newTable(c.out)
	t.row("name", "parameters", "with auxiliary head", "multiply-adds (million)", "source", "note")
	for _, e := range list {
		s := e.Size
		aux := ""
		if s.ParamsAux > 0 {
			aux = fmt.Sprint(s.ParamsAux)
		}
		t.row(e.Name, s.Params, aux, fmt.Sprintf("%.1f", millions(s.MACs)), e.Source, e.Note)
	}
	return t.flush()
}
