package search

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"math"
	"path/filepath"
	"slices"

	"rnas/internal/atomicfile"
	"rnas/search/score"
	"rnas/search/table"
)

// frontLine is a genotype of FrontFile. Objectives are its scores, costs as they are; a score made of ranks is that among the whole history.
type frontLine struct {
	Evaluation int                `json:"evaluation"`
	Genotype   string             `json:"genotype"`
	Objectives map[string]float64 `json:"objectives"` // encoded in the order of the names
}

// front are the places in the history of the genotypes that none dominates, each genotype once, those best in the first objective
// first; those that miss an objective are left out.
func (e *evolver) front(points [][]float64) (front []int) {
	seen := map[string]bool{}
	for _, i := range sortFronts(points)[0] {
		key := table.Key(e.history.list[i].genotype)
		if !seen[key] && !slices.Contains(points[i], math.Inf(-1)) {
			seen[key] = true
			front = append(front, i)
		}
	}
	slices.SortStableFunc(front, func(a, b int) int { return cmp.Compare(points[b][0], points[a][0]) })
	return front
}

// writeFront writes FrontFile and PlotFile.
func (e *evolver) writeFront(dir string) error {
	points := e.objectives()
	front := e.front(points)
	names := e.config.Evolution.Objectives
	shown := make([][]float64, len(points)) // with costs as they are
	for i, p := range points {
		shown[i] = slices.Clone(p)
		for k, name := range names {
			if score.Cost(name) {
				shown[i][k] = -p[k]
			}
		}
	}
	var lines bytes.Buffer
	for _, i := range front {
		line := frontLine{i + 1, e.history.list[i].genotype.String(), map[string]float64{}}
		for k, name := range names {
			line.Objectives[name] = shown[i][k]
		}
		text, err := json.Marshal(line)
		if err != nil {
			return err
		}
		lines.Write(append(text, '\n'))
	}
	if err := atomicfile.WriteBytes(filepath.Join(dir, FrontFile), lines.Bytes()); err != nil {
		return err
	}
	var plot bytes.Buffer
	drawFront(&plot, names, shown, front)
	return atomicfile.WriteBytes(filepath.Join(dir, PlotFile), plot.Bytes())
}

// Lengths of the plot, in SVG user units: a panel for every objective but the last one, over the last one.
const (
	panelWidth, panelHeight = 480, 280
	panelLeft, panelTop     = 90, 36 // of the axes in a panel
	panelRight, panelBottom = 24, 52
)

const plotStyle = `<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.page { fill: #ffffff }
.axis { stroke: #8c959f; fill: none }
.other { fill: #afb8c1 }
.front { fill: #0969da }
.line { stroke: #0969da; fill: none; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #d1d5da }
  .page { fill: #1b1d20 }
  .other { fill: #57606a }
  .front { fill: #58a6ff }
  .line { stroke: #58a6ff }
}
</style>
`

// drawFront draws points, those of the front, which are joined, with the objectives in a tooltip. Points that miss a score are not drawn.
func drawFront(w io.Writer, names []string, points [][]float64, front []int) {
	last := len(names) - 1
	fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">`+"\n<title>Pareto front</title>\n%s", panelWidth, panelHeight*last, plotStyle)
	fmt.Fprintln(w, `<rect class="page" width="100%" height="100%"/>`)
	for k := range last {
		top := k * panelHeight
		x, y := scaleOf(points, last, panelLeft, panelWidth-panelRight), scaleOf(points, k, top+panelHeight-panelBottom, top+panelTop)
		fmt.Fprintf(w, `<path class="axis" d="M%d %dV%dH%d"/>`+"\n", panelLeft, top+panelTop, top+panelHeight-panelBottom, panelWidth-panelRight)
		text := func(at string, x, y int, s string) {
			fmt.Fprintf(w, `<text text-anchor="%s" x="%d" y="%d">%s</text>`+"\n", at, x, y, html.EscapeString(s))
		}
		text("start", panelLeft, top+panelTop-14, names[k])
		text("end", panelLeft-6, top+panelTop+4, fmt.Sprintf("%.4g", y.high))
		text("end", panelLeft-6, top+panelHeight-panelBottom+4, fmt.Sprintf("%.4g", y.low))
		text("start", panelLeft, top+panelHeight-panelBottom+18, fmt.Sprintf("%.4g", x.low))
		text("end", panelWidth-panelRight, top+panelHeight-panelBottom+18, fmt.Sprintf("%.4g", x.high))
		text("middle", (panelLeft+panelWidth-panelRight)/2, top+panelHeight-panelBottom+36, names[last])
		for i, p := range points {
			if !slices.Contains(front, i) && finite(p[k]) && finite(p[last]) {
				fmt.Fprintf(w, `<circle class="other" r="2.5" cx="%.1f" cy="%.1f"/>`+"\n", x.at(p[last]), y.at(p[k]))
			}
		}
		order := slices.Clone(front)
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(points[a][last], points[b][last]) })
		for n, i := range order {
			if last == 1 && n > 0 {
				before := points[order[n-1]]
				fmt.Fprintf(w, `<path class="line" d="M%.1f %.1fL%.1f %.1f"/>`+"\n", x.at(before[last]), y.at(before[k]), x.at(points[i][last]), y.at(points[i][k]))
			}
			fmt.Fprintf(w, `<circle class="front" r="4" cx="%.1f" cy="%.1f"><title>evaluation %d: %s</title></circle>`+"\n",
				x.at(points[i][last]), y.at(points[i][k]), i+1, html.EscapeString(described(names, points[i])))
		}
	}
	fmt.Fprintln(w, "</svg>")
}

func described(names []string, p []float64) (s string) {
	for k, name := range names {
		if k > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%s %.6g", name, p[k])
	}
	return s
}

func finite(v float64) bool { return v-v == 0 }

// scale maps low..high to from..to.
type scale struct{ low, high, from, to float64 }

// scaleOf spans the finite values of an objective.
func scaleOf(points [][]float64, objective, from, to int) scale {
	s := scale{math.Inf(1), math.Inf(-1), float64(from), float64(to)}
	for _, p := range points {
		if v := p[objective]; finite(v) {
			s.low, s.high = min(s.low, v), max(s.high, v)
		}
	}
	return s
}

func (s scale) at(v float64) float64 {
	if s.high == s.low {
		return (s.from + s.to) / 2
	}
	return s.from + (v-s.low)/(s.high-s.low)*(s.to-s.from)
}
