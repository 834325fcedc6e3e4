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
	svgGap     = 8  // between the two labels of a node
	svgColumn  = EdgesPerNode*svgLabelW + svgGap + 24
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

// SVG writes a drawing of the cells: states from left to right, edges labelled with their primitives, convolutions
// shaded. The drawing follows the light or dark scheme of its viewer. Errors: an invalid genotype, a form other than
// DARTS and ARNAS, and an error of w.
func SVG(w io.Writer, g Genotype) error {
	if err := drawable(g); err != nil {
		return err
	}
	top := svgMargin
	if g.Name != "" {
		top += svgBox
	}
	width, height := 0, top
	for _, c := range g.Cells() {
		width, height = max(width, cellWidth(c.Cell)), height+cellHeight(c.Cell)+svgMargin
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
	for _, c := range g.Cells() {
		svgCell(&b, c.Name, c.Cell, top)
		top += cellHeight(c.Cell) + svgMargin
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func cellHeight(c Cell) int { return svgHeading + svgRow*(Inputs+c.Nodes()-1) + svgBox }

func cellWidth(c Cell) int { return outputX(c) + svgOutput + svgMargin }

func outputX(c Cell) int { return nodeX(c.Nodes()) + svgGap }

// nodeX is the left side of a node's box.
func nodeX(node int) int { return svgMargin + svgInput + 24 + svgColumn*node }

// tapX is the position across of edge i.
func tapX(i int) int {
	return nodeX(i/EdgesPerNode) + svgLabelW/2 + (svgLabelW+svgGap)*(i%EdgesPerNode)
}

func svgCell(b *strings.Builder, name string, c Cell, top int) {
	rowY := func(state int) int { return top + svgHeading + svgBox/2 + svgRow*state }
	fmt.Fprintf(b, `<text class="cell" x="%d" y="%d">%s cell</text>`+"\n", svgMargin, top+svgBox/2, name)
	fmt.Fprintf(b, `<text class="note" x="%d" y="%d">concat %v</text>`+"\n", svgMargin+svgInput+24, top+svgBox/2, c.Concat)

	for state := range Inputs + c.Nodes() {
		svgState(b, c, state, rowY(state))
	}
	for i, e := range c.Edges {
		svgEdge(b, e, tapX(i), rowY(e.From), rowY(Inputs+i/EdgesPerNode))
	}
	first, last := rowY(slices.Min(c.Concat)), rowY(slices.Max(c.Concat))
	svgRect(b, "box", outputX(c), first-svgBox/2, svgOutput, last-first+svgBox)
	svgText(b, outputX(c)+svgOutput/2, (first+last)/2, outputLabel)
}

// svgState draws the box of a state in the row at y and its wire.
func svgState(b *strings.Builder, c Cell, state, y int) {
	x, width := svgMargin, svgInput
	if state >= Inputs {
		x, width = nodeX(state-Inputs), EdgesPerNode*svgLabelW+svgGap
	}
	end := 0
	for i, e := range c.Edges {
		if e.From == state {
			end = max(end, tapX(i))
		}
	}
	uses := 0
	for _, s := range c.Concat {
		if s == state {
			uses++
		}
	}
	switch {
	case uses > 0:
		end = outputX(c)
		fmt.Fprintf(b, `<path class="wire" d="M%d %dH%d" marker-end="url(#tip)"/>`+"\n", x+width, y, end)
	case end > 0:
		fmt.Fprintf(b, `<path class="wire" d="M%d %dH%d"/>`+"\n", x+width, y, end)
	}
	if uses > 1 {
		svgText(b, end-svgMargin, y-12, fmt.Sprintf("×%d", uses))
	}
	svgRect(b, "box", x, y-svgBox/2, width, svgBox)
	svgText(b, x+width/2, y, stateLabel(state))
}

// svgEdge draws an edge at x, from the wire at y from to the box in the row at y to.
func svgEdge(b *strings.Builder, e Edge, x, from, to int) {
	class := ""
	switch e.Op {
	case None:
		class = " none"
	case SkipConnect, MaxPool3x3, AvgPool3x3:
	default:
		class = " conv"
	}
	fmt.Fprintf(b, `<path class="wire%s" d="M%d %dV%d" marker-end="url(#tip)"/>`+"\n", class, x, from, to-svgBox/2)
	fmt.Fprintf(b, `<circle class="dot" cx="%d" cy="%d" r="3"/>`+"\n", x, from)
	svgRect(b, "op"+class, x-svgLabelW/2, to-svgLabelUp-svgLabelH/2, svgLabelW, svgLabelH)
	svgText(b, x, to-svgLabelUp, string(e.Op))
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
