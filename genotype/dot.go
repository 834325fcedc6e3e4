package genotype

import (
	"fmt"
	"io"
	"strings"
)

// Dot writes the cells as one Graphviz digraph with a cluster each. It returns an error for an invalid genotype, or that of w.
func Dot(w io.Writer, g Genotype) error {
	if err := g.Validate(); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("digraph genotype {\n")
	fmt.Fprintf(&b, "  label=%q rankdir=LR fontname=monospace\n", g.Name)
	b.WriteString("  node [shape=box style=\"rounded,filled\" fillcolor=gray92 fontname=monospace]\n")
	b.WriteString("  edge [fontname=monospace fontsize=10 color=gray35]\n")
	for _, d := range g.diagrams() {
		d.dot(&b)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (d diagram) dot(b *strings.Builder) {
	fmt.Fprintf(b, "  subgraph cluster_%s {\n    label=%q\n", d.id, d.name)
	for state := range d.inputs + len(d.nodes) {
		fmt.Fprintf(b, "    %s_%d [label=%q]\n", d.id, state, d.label(state))
	}
	fmt.Fprintf(b, "    %s_out [label=%q]\n", d.id, outputLabel)
	for i, in := range d.nodes {
		for _, a := range in {
			style := ""
			if a.kind == absent {
				style = " style=dashed"
			}
			fmt.Fprintf(b, "    %s_%d -> %s_%d [label=%q%s]\n", d.id, a.from, d.id, d.inputs+i, a.label, style)
		}
	}
	for _, state := range d.output {
		fmt.Fprintf(b, "    %s_%d -> %s_out\n", d.id, state, d.id)
	}
	b.WriteString("  }\n")
}
