package genotype

import (
	"fmt"
	"slices"
	"strings"
)

// diagram is a cell as it is drawn: states, of which the first ones are inputs, and the edges into each of the others.
type diagram struct {
	name   string // heading
	id     string // of the cell among those of its genotype, a word
	note   string
	inputs int
	nodes  [][]arrow
	output []int // states that the output consists of
}

// arrow is an edge from a state.
type arrow struct {
	from  int
	label string
	kind  arrowKind
}

// arrowKind says how an edge looks.
type arrowKind int

const (
	plain   arrowKind = iota // passes on or pools
	learned                  // has a convolution
	absent                   // contributes nothing
)

// kind is the look of an edge with the primitive.
func (p Primitive) kind() arrowKind {
	switch p {
	case None:
		return absent
	case SkipConnect, MaxPool3x3, AvgPool3x3:
		return plain
	}
	return learned
}

// diagrams are the drawings of a valid genotype.
func (g Genotype) diagrams() []diagram {
	switch g.Form {
	case NASBench201:
		return []diagram{bench201Diagram(g.Edges)}
	case RobNet:
		return robNetDiagrams(g.Links)
	}
	var list []diagram
	for _, c := range g.Cells() {
		d := diagram{name: c.Name + " cell", id: c.Name, note: fmt.Sprintf("concat %v", c.Cell.Concat), inputs: Inputs, output: c.Cell.Concat}
		for node := range c.Cell.Nodes() {
			var in []arrow
			first, end := c.Cell.Node(node)
			for _, e := range c.Cell.Edges[first:end] {
				in = append(in, arrow{e.From, string(e.Op), e.Op.kind()})
			}
			d.nodes = append(d.nodes, in)
		}
		list = append(list, d)
	}
	return list
}

func bench201Diagram(edges []Primitive) diagram {
	d := diagram{name: "cell", id: "cell", note: "the last node is the output", inputs: 1, output: []int{NASBench201Nodes}}
	for node := range NASBench201Nodes {
		var in []arrow
		for from, p := range edges[:node+1] {
			in = append(in, arrow{from, string(p), p.kind()})
		}
		edges = edges[node+1:]
		d.nodes = append(d.nodes, in)
	}
	return d
}

// robNetDiagrams has a drawing for each cell that differs from those before it, with the numbers of the cells that are like it.
func robNetDiagrams(cells [][]Link) []diagram {
	if len(cells) == 1 {
		d := robNetDiagram(cells[0])
		d.name, d.id = "every cell", "cell"
		return []diagram{d}
	}
	var list []diagram
	for i, links := range cells {
		if slices.ContainsFunc(cells[:i], func(c []Link) bool { return slices.Equal(c, links) }) {
			continue
		}
		var like []string
		for k, c := range cells {
			if slices.Equal(c, links) {
				like = append(like, fmt.Sprint(k))
			}
		}
		d := robNetDiagram(links)
		d.id, d.name = "cell_"+like[0], "cell "+like[0]
		if d.note = "all nodes concatenated"; len(like) > 1 {
			d.note += ", cells " + strings.Join(like, ", ")
		}
		list = append(list, d)
	}
	return list
}

// robNetDiagram draws the links of a cell, apart from those that are not there.
func robNetDiagram(links []Link) diagram {
	labels := map[Link]arrow{
		ConvLink: {label: string(SepConv3x3), kind: learned}, SkipLink: {label: string(SkipConnect)}, ResidualLink: {label: "conv + skip", kind: learned},
	}
	d := diagram{note: "all nodes concatenated", inputs: Inputs, output: allNodes(RobNetNodes)}
	for node := range RobNetNodes {
		var in []arrow
		for from, l := range links[:Inputs+node] {
			if a, ok := labels[l]; ok {
				a.from = from
				in = append(in, a)
			}
		}
		links = links[Inputs+node:]
		d.nodes = append(d.nodes, in)
	}
	return d
}

const outputLabel = "c_{k}"

// label is the text of a state; an input says which cell before it is the output of.
func (d diagram) label(state int) string {
	if state < d.inputs {
		return fmt.Sprintf("%d = c_{k-%d}", state, d.inputs-state)
	}
	return fmt.Sprint(state)
}
