package main

import (
	"fmt"
	"io"
	"strings"

	"rnas/bench/inspect"
	"rnas/compiler/cpu"
	"rnas/compiler/ir"
	"rnas/compiler/pass"
	"rnas/internal/fault"
)

// The forms of inspect --passes.
const (
	passCounts = "counts"
	passFull   = "full"
)

// passStage is the graph after a pass.
type passStage struct {
	Pass      string          `json:"pass"`
	Why       string          `json:"why,omitempty"`
	After     []pass.Need     `json:"after,omitempty"`
	Operators []inspect.Count `json:"operators"`
	Graph     string          `json:"graph,omitempty"` // the text form, with --passes=full
}

// pipelines are the lists of passes that --pipeline names. Block is the number of channels of a block in NCHWc, 0 for no such layout;
// the pipelines that are neutral to the provider have no use for it.
var pipelines = []struct {
	name   string
	passes func(block int64) []pass.Pass
}{
	{"inference", func(int64) []pass.Pass { return pass.Inference() }},
	{"training", func(int64) []pass.Pass { return pass.Training() }},
	{"forward", cpu.Forward},
	{"program", cpu.Program},
}

func pipelineNames() string {
	var names []string
	for _, p := range pipelines {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

// pipeline is the list of passes of that name.
func pipeline(name string, block int64) ([]pass.Pass, error) {
	if block < 0 || block == 1 {
		return nil, fault.Inputf("--block: expected 0 or at least 2, found %d", block)
	}
	for _, p := range pipelines {
		if p.name == name {
			return p.passes(block), nil
		}
	}
	return nil, fault.Inputf("--pipeline: expected %s, found %q", pipelineNames(), name)
}

// passStages runs a pipeline over g, which it changes, and verifies the graph after every pass. The first stage is the
// graph as it was read.
func passStages(g *ir.Graph, passes []pass.Pass, full bool) ([]passStage, error) {
	var list []passStage
	record := func(p pass.Pass, g *ir.Graph) {
		s := passStage{Pass: p.Name, Why: p.Why, After: p.After, Operators: inspect.Operators(g)}
		if full {
			s.Graph = g.String()
		}
		list = append(list, s)
	}
	record(pass.Pass{Name: "file"}, g)
	err := pass.Runner{Check: true, Trace: record}.Run(g, passes)
	return list, err
}

// printPasses prints how many operators there are of each kind, one column a pass, then what the passes are for, or the
// text form after each.
func printPasses(w io.Writer, stages []passStage) error {
	header, total := []any{"operator"}, []any{"all"}
	var names []string
	counts := map[string][]int{}
	for i, s := range stages {
		header = append(header, s.Pass)
		sum := 0
		for _, o := range s.Operators {
			if counts[o.Name] == nil {
				names = append(names, o.Name)
				counts[o.Name] = make([]int, len(stages))
			}
			counts[o.Name][i] = o.Count
			sum += o.Count
		}
		total = append(total, sum)
	}
	fmt.Fprintln(w)
	t := newTable(w)
	t.row(header...)
	for _, name := range names {
		row := []any{name}
		for _, n := range counts[name] {
			row = append(row, n)
		}
		t.row(row...)
	}
	t.row(total...)
	if err := t.flush(); err != nil {
		return err
	}
	for _, s := range stages {
		if s.Graph != "" {
			fmt.Fprintf(w, "\n# after %s\n%s", s.Pass, s.Graph)
		}
	}
	fmt.Fprintln(w)
	t = newTable(w)
	for _, s := range stages[1:] {
		t.row(s.Pass, s.Why)
		for _, need := range s.After {
			t.row("", fmt.Sprintf("after %s: %s", need.Pass, need.Why))
		}
	}
	return t.flush()
}
