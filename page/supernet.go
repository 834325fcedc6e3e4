package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"rnas/compiler/lower"
	"rnas/genotype"
	"rnas/search"
	"rnas/train/loop"
)

// supernet is the architecture weights of every edge over the epochs, on one vertical scale from 0 to Top.
type supernet struct {
	Primitives []genotype.Primitive
	Cells      []superCell
	Top        string
	Left       int // edges that are not shown
}

// Columns is the number of columns of the table of weights.
func (s *supernet) Columns() int { return 1 + len(s.Primitives) }

// superCell is a cell of the supernet.
type superCell struct {
	Name  string
	Edges []superEdge
}

// superEdge is an edge from a state into another one.
type superEdge struct {
	Name string
	Op   genotype.Primitive // in the genotype; "" for an edge that it leaves out
	// Lines are the points of the weight of each primitive over the epochs, Last the weights after the last of them.
	Lines []string
	Last  []string
	About string // for those who do not see
}

// Box of the drawing of an edge, in its units.
const (
	edgeLeft, edgeRight = 3, 157
	edgeTop, edgeBottom = 4, 68
)

// mostEdges bounds the edges of a cell that are shown.
const mostEdges = 60

// readSupernet reads the architecture parameters after every epoch; nil where there are none. found may be nil.
func readSupernet(path string, net lower.Supernet, found *genotype.Genotype) (*supernet, error) {
	var weights [][][]float64 // epoch, edge, primitive
	size := net.AlphaShape()
	err := loop.ReadLines(path, func(text []byte) error {
		var line search.EpochAlphas
		if err := json.Unmarshal(text, &line); err != nil {
			return err
		}
		edges := slices.Concat(line.Normal, line.Reduce)
		alphas := slices.Concat(edges...)
		if len(edges) != int(size[0]*size[1]) || len(alphas) != len(edges)*int(size[2]) {
			return fmt.Errorf("expected architecture parameters %v, found %d of %d edges", size, len(alphas), len(edges))
		}
		weights = append(weights, search.Weights(alphas, net))
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(weights) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return newSupernet(weights, net, found), nil
}

// newSupernet draws the weights by epoch, edge and primitive.
func newSupernet(weights [][][]float64, net lower.Supernet, found *genotype.Genotype) *supernet {
	s := &supernet{Primitives: net.Primitives}
	top := 0.0
	for _, epoch := range weights {
		for _, edge := range epoch {
			top = max(top, slices.Max(edge))
		}
	}
	top = math.Ceil(10*top-1e-9) / 10
	s.Top = fmt.Sprintf("%.1f", top)
	names := []string{"cell"}
	if net.Kinds() == 2 {
		names = []string{"normal cell", "reduction cell"}
	}
	edges := net.Edges()
	for kind, name := range names {
		cell := superCell{Name: name}
		k := 0
		for node := range net.Nodes {
			state := net.Inputs() + node
			for from := range state {
				if k < mostEdges {
					one := make([][]float64, len(weights))
					for i, epoch := range weights {
						one[i] = epoch[kind*edges+k]
					}
					e := drawEdge(fmt.Sprintf("%d ← %d", state, from), one, net.Primitives, top)
					e.Op = operation(found, kind, node, from, k)
					cell.Edges = append(cell.Edges, e)
				}
				k++
			}
		}
		s.Left += k - len(cell.Edges)
		s.Cells = append(s.Cells, cell)
	}
	return s
}

// drawEdge draws the weights of one edge by epoch and primitive.
func drawEdge(name string, weights [][]float64, primitives []genotype.Primitive, top float64) superEdge {
	e := superEdge{Name: name}
	n := len(weights)
	var about []string
	for p, primitive := range primitives {
		var points []string
		for i, w := range weights {
			if !drawn(i, n) {
				continue
			}
			x := float64(edgeRight)
			if n > 1 {
				x = tenth(edgeLeft + float64(i)/float64(n-1)*(edgeRight-edgeLeft))
			} else { // a line of one epoch would not be seen
				points = append(points, fmt.Sprintf("%d,%g", edgeLeft, tenth(edgeBottom-w[p]/top*(edgeBottom-edgeTop))))
			}
			points = append(points, fmt.Sprintf("%g,%g", x, tenth(edgeBottom-w[p]/top*(edgeBottom-edgeTop))))
		}
		last := fmt.Sprintf("%.3f", weights[n-1][p])
		e.Lines, e.Last = append(e.Lines, strings.Join(points, " ")), append(e.Last, last)
		about = append(about, string(primitive)+" "+last)
	}
	e.About = fmt.Sprintf("Edge %s after the last epoch: %s", name, strings.Join(about, ", "))
	return e
}

// operation is what a genotype has on the edge from a state into a node, number k of its cell; "" for nothing.
func operation(g *genotype.Genotype, kind, node, from, k int) genotype.Primitive {
	if g == nil {
		return ""
	}
	if g.Form == genotype.NASBench201 {
		return g.Edges[k]
	}
	cells := g.Cells()
	if kind >= len(cells) || node >= cells[kind].Cell.Nodes() {
		return ""
	}
	c := cells[kind].Cell
	first, end := c.Node(node)
	for _, e := range c.Edges[first:end] {
		if e.From == from {
			return e.Op
		}
	}
	return ""
}
