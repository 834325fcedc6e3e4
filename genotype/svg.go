package genotype

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Lengths of the drawing, in SVG user units. A state has a row of its own: its box, and to the right of the box a wire
// that runs along the row as far as it is needed. An edge leaves that wire straight down, through a label with its
// primitive, into the box of its node. So wires cross, but meet no box and no label.
const (
	svgMargin  = 20
	svgHeading = 44 // height of a cell's heading
	svgRow     = 64
	svgBox     = 26 // height of a box
	svgInput   = 96 // width of an input box
	svgLabelW  = 96
	svgLabelH  = 20
	svgLabelUp = 34 // from the middle of a row up to the middle of its labels
	svgGap     = 8  // between the labels of a node
	svgSpace   = 24 // between two nodes
	svgOutput  = 56 // width of the output box
)

const svgStyle = `<style>
text { font: 12px ui-monospace, monospace; fill: #24292f; text-anchor: middle; dominant-baseline: central }
.name, .cell { font-weight: bold; text-anchor: start }
.name { font-size: 16px }
.note { text-anchor: start; fill: #6e7781 }
.page { fill: #ffffff }
.box { fill: #eaeef2; stroke: #6e7781 }
.op { fill: #ffffff; stroke: #8c959f }
.conv { fill: #d8dee4 }
.wire { fill: none; stroke: #6e7781; stroke-width: 1.5 }
.none { stroke-dasharray: 4 3 }
.dot { fill: #6e7781 }
@media (prefers-color-scheme: dark) {
  text { fill: #d1d5da }
  .note { fill: #8b949e }
  .page { fill: #1b1d20 }
  .box { fill: #2d3136; stroke: #8b949e }
  .op { fill: #1b1d20; stroke: #6e7681 }
  .conv { fill: #3b4046 }
  .wire { stroke: #8b949e }
  .dot { fill: #8b949e }
}
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="5" markerHeight="5" orient="auto">` +
	`<path class="dot" d="M0 0L8 4L0 8z"/></marker></defs>
`

// SVG writes the cells as one SVG image: edges are labelled with their operation, an edge that contributes nothing is dashed, and
// convolutions are shaded. It returns an error for an invalid genotype, or that of w.
func SVG(w io.Writer, g Genotype) error {
	if err := g.Validate(); err != nil {
		return err
	}
	top := svgMargin
	if g.Name != "" {
		top += svgBox
	}
	cells := g.diagrams()
	width, height := 0, top
	for _, d := range cells {
		width, height = max(width, d.width()), height+d.height()+svgMargin
	}

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`+"\n",
		width, height, width, height)
	name := escapeXML(g.Name)
	fmt.Fprintf(&b, "<title>genotype %s</title>\n", name)
	b.WriteString(svgStyle)
	b.WriteString(`<rect class="page" width="100%" height="100%"/>` + "\n")
	if g.Name != "" {
		fmt.Fprintf(&b, `<text class="name" x="%d" y="%d">%s</text>`+"\n", svgMargin, svgMargin+svgBox/2, name)
	}
	for _, d := range cells {
		d.svg(&b, top)
		top += d.height() + svgMargin
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (d diagram) height() int { return svgHeading + svgRow*(d.inputs+len(d.nodes)-1) + svgBox }

func (d diagram) width() int { return d.outputX() + svgOutput + svgMargin }

func (d diagram) outputX() int { return d.nodeX(len(d.nodes)) + svgGap }

// nodeX is the left side of a node's box.
func (d diagram) nodeX(node int) int {
	x := svgMargin + svgInput + svgSpace
	for i := range node {
		x += d.nodeWidth(i) + svgSpace
	}
	return x
}

// nodeWidth is that of the labels of a node's edges, at least of one.
func (d diagram) nodeWidth(node int) int {
	n := max(len(d.nodes[node]), 1)
	return n*svgLabelW + (n-1)*svgGap
}

// tapX is the position across of edge i of a node.
func (d diagram) tapX(node, i int) int { return d.nodeX(node) + svgLabelW/2 + (svgLabelW+svgGap)*i }

// svg draws a cell whose heading is at top.
func (d diagram) svg(b *strings.Builder, top int) {
	rowY := func(state int) int { return top + svgHeading + svgBox/2 + svgRow*state }
	fmt.Fprintf(b, `<text class="cell" x="%d" y="%d">%s</text>`+"\n", svgMargin, top+svgBox/2, d.name)
	fmt.Fprintf(b, `<text class="note" x="%d" y="%d">%s</text>`+"\n", svgMargin+svgInput+svgSpace, top+svgBox/2, d.note)

	for state := range d.inputs + len(d.nodes) {
		d.svgState(b, state, rowY(state))
	}
	for node, in := range d.nodes {
		for i, a := range in {
			a.svg(b, d.tapX(node, i), rowY(a.from), rowY(d.inputs+node))
		}
	}
	first, last := rowY(slices.Min(d.output)), rowY(slices.Max(d.output))
	svgRect(b, "box", d.outputX(), first-svgBox/2, svgOutput, last-first+svgBox)
	svgText(b, d.outputX()+svgOutput/2, (first+last)/2, outputLabel)
}

// svgState draws the box of a state in the row at y and its wire.
func (d diagram) svgState(b *strings.Builder, state, y int) {
	x, width := svgMargin, svgInput
	if state >= d.inputs {
		x, width = d.nodeX(state-d.inputs), d.nodeWidth(state-d.inputs)
	}
	end := 0
	for node, in := range d.nodes {
		for i, a := range in {
			if a.from == state {
				end = max(end, d.tapX(node, i))
			}
		}
	}
	uses := 0
	for _, s := range d.output {
		if s == state {
			uses++
		}
	}
	switch {
	case uses > 0:
		end = d.outputX()
		fmt.Fprintf(b, `<path class="wire" d="M%d %dH%d" marker-end="url(#tip)"/>`+"\n", x+width, y, end)
	case end > 0:
		fmt.Fprintf(b, `<path class="wire" d="M%d %dH%d"/>`+"\n", x+width, y, end)
	}
	if uses > 1 {
		svgText(b, end-svgMargin, y-12, fmt.Sprintf("×%d", uses))
	}
	svgRect(b, "box", x, y-svgBox/2, width, svgBox)
	svgText(b, x+width/2, y, d.label(state))
}

// svg draws an edge at x, from the wire at y from to the box in the row at y to.
func (a arrow) svg(b *strings.Builder, x, from, to int) {
	class := [...]string{plain: "", learned: " conv", absent: " none"}[a.kind]
	fmt.Fprintf(b, `<path class="wire%s" d="M%d %dV%d" marker-end="url(#tip)"/>`+"\n", class, x, from, to-svgBox/2)
	fmt.Fprintf(b, `<circle class="dot" cx="%d" cy="%d" r="3"/>`+"\n", x, from)
	svgRect(b, "op"+class, x-svgLabelW/2, to-svgLabelUp-svgLabelH/2, svgLabelW, svgLabelH)
	svgText(b, x, to-svgLabelUp, a.label)
}

func svgRect(b *strings.Builder, class string, x, y, width, height int) {
	fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="5"/>`+"\n", class, x, y, width, height)
}

func svgText(b *strings.Builder, x, y int, text string) {
	fmt.Fprintf(b, `<text x="%d" y="%d">%s</text>`+"\n", x, y, text)
}

func escapeXML(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a strings.Builder returns no error
	return b.String()
}
