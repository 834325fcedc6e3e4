package genotype

import (
	"fmt"
	"io"
	"strings"
)

// Dot writes the cells as one Graphviz digraph with a cluster for each cell. Errors: an invalid genotype, a form other
// than DARTS and ARNAS, and an error of w.
func Dot(w io.Writer, g Genotype) error {
	if err := drawable(g); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("digraph genotype {\n")
	fmt.Fprintf(&b, "  label=%q rankdir=LR fontname=monospace\n", g.Name)
	b.WriteString("  node [shape=box style=\"rounded,filled\" fillcolor=gray92 fontname=monospace]\n")
	b.WriteString("  edge [fontname=monospace fontsize=10 color=gray35]\n")
	for _, c := range g.Cells() {
		dotCell(&b, c.Name, c.Cell)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// drawable reports what stands against a drawing.
func drawable(g Genotype) error {
	if err := g.Validate(); err != nil {
		return err
	}
	if len(g.Cells()) == 0 {
		return fmt.Errorf("a genotype of the form %s has no drawing", g.Form)
	}
	return nil
}

func dotCell(b *strings.Builder, name string, c Cell) {
	fmt.Fprintf(b, "  subgraph cluster_%s {\n    label=\"%s cell\"\n", name, name)
	for state := range Inputs + c.Nodes() {
		fmt.Fprintf(b, "    %s_%d [label=%q]\n", name, state, stateLabel(state))
	}
	fmt.Fprintf(b, "    %s_out [label=%q]\n", name, outputLabel)
	for i, e := range c.Edges {
		style := ""
		if e.Op == None {
			style = " style=dashed"
		}
		fmt.Fprintf(b, "    %s_%d -> %s_%d [label=%q%s]\n", name, e.From, name, Inputs+i/EdgesPerNode, e.Op, style)
	}
	for _, state := range c.Concat {
		fmt.Fprintf(b, "    %s_%d -> %s_out\n", name, state, name)
	}
	b.WriteString("  }\n")
}

const outputLabel = "c_{k}"

func stateLabel(state int) string {
	if state < Inputs {
		return fmt.Sprintf("%d = c_{k-%d}", state, Inputs-state)
	}
	return fmt.Sprint(state)
}
