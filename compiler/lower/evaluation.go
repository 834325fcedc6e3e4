package lower

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/genotype"
)

// Evaluation is the network of a genotype. If Aux, it has DARTS' auxiliary head after the second reduction cell. Genotypes of the
// forms DARTS (NetworkCIFAR of its public code), ARNAS and RobNet stand in the skeleton of Macro; that of NAS-Bench-201 is
// described at bench201.
type Evaluation struct {
	Macro
	Genotype genotype.Genotype `json:"genotype"`
	Aux      bool              `json:"aux"`
}

// Skeleton returns the macro structure.
func (n Evaluation) Skeleton() Macro { return n.Macro }

// Validate checks the sizes, the genotype and whether they fit each other.
func (n Evaluation) Validate() error {
	if err := n.Macro.Validate(); err != nil {
		return err
	}
	if err := n.Genotype.Validate(); err != nil {
		return fmt.Errorf("genotype: %w", err)
	}
	g := n.Genotype
	switch {
	case n.Aux && !g.Form.HasAuxiliary():
		return fmt.Errorf("genotypes of the form %s have no auxiliary head", g.Form)
	case g.Form == genotype.RobNet && len(g.Links) != 1 && len(g.Links) != n.Layers:
		return fmt.Errorf("%d layers: the genotype has %d cells", n.Layers, len(g.Links))
	case g.Form == genotype.NASBench201:
		return n.validBench201()
	}
	return nil
}

// Forward lowers the network. auxiliary is nil without Aux or outside training.
func (n Evaluation) Forward(e *Env, images *ir.Value) (logits, auxiliary *ir.Value) {
	if err := n.Validate(); err != nil {
		e.Fail("%w", err)
		return images, nil
	}
	cell := n.cell
	switch n.Genotype.Form {
	case genotype.NASBench201:
		return n.bench201(e, images, func(name string, x *ir.Value, c int64) *ir.Value { return n.bench201Cell(e, name, x, c) }), nil
	case genotype.RobNet:
		cell = n.robNetCell
	}
	logits = n.run(e, images, cell, func(i int, y *ir.Value) {
		if n.Aux && e.Train && i == 2*n.Layers/3 {
			e.In("auxiliary_head", func() { auxiliary = e.auxiliaryHead(y, int64(n.Classes)) })
		}
	})
	return logits, auxiliary
}

// cellAt returns the cell that stands at a place, and the place with its width corrected: the second reduction of ARNAS keeps the
// width of the cells before it.
func (n Evaluation) cellAt(at place) (genotype.Cell, place) {
	second := 2 * n.Layers / 3
	if n.Genotype.Form == genotype.ARNAS && at.index >= second {
		at.c /= 2
		if at.index > second {
			return n.Genotype.Robust, at
		}
	}
	if at.reduce {
		return n.Genotype.Reduce, at
	}
	return n.Genotype.Normal, at
}

// cell lowers the cell of DARTS or ARNAS at a place.
func (n Evaluation) cell(e *Env, here place, before, last *ir.Value) *ir.Value {
	cell, here := n.cellAt(here)
	s0, s1 := e.preprocess(here, before, last, true)
	states := []*ir.Value{s0, s1}
	for node := range cell.Nodes() {
		var parts []*ir.Value
		first, end := cell.Node(node)
		for k := first; k < end; k++ {
			ed := cell.Edges[k]
			at := edge{name: fmt.Sprintf("%s._ops.%d", here.name, k), c: here.c, stride: 1}
			if here.reduce && ed.From < genotype.Inputs {
				at.stride = 2
			}
			e.In(fmt.Sprintf("edge.%d.%s", k, ed.Op), func() {
				y := primitives[ed.Op](e, states[ed.From], at)
				if y != nil && e.DropPath != nil && !(ed.Op == genotype.SkipConnect && at.stride == 1) {
					y = e.Mul(y, e.DropPath())
				}
				if y != nil {
					parts = append(parts, y)
				}
			})
		}
		if len(parts) == 0 {
			parts = append(parts, e.zero(s1, here.reduce))
		}
		states = append(states, e.node(node, parts))
	}
	out := make([]*ir.Value, len(cell.Concat))
	for i, k := range cell.Concat {
		out[i] = states[k]
	}
	return e.Concat(1, out...)
}

// node adds up what the edges bring to node i of a cell, counted after its inputs.
func (e *Env) node(i int, parts []*ir.Value) (sum *ir.Value) {
	e.In(fmt.Sprintf("node.%d", genotype.Inputs+i), func() { sum = e.Sum(parts...) })
	return sum
}

// zero is a node whose edges are all "none": zeros of the resolution of the cell's output.
func (e *Env) zero(like *ir.Value, reduce bool) *ir.Value {
	if reduce && e.Err() == nil {
		like = e.Slice(like, []int64{0, 0}, like.Shape[2:], []int64{2, 3}, []int64{2, 2})
	}
	return e.Scale(like, 0)
}

// auxiliaryHead classifies an intermediate tensor x [N,C,H,H] by average pooling to 2x2, a 1x1 convolution to 128 and a 2x2 one to
// 768 channels (DARTS: AuxiliaryHeadCIFAR, which expects 8x8).
func (e *Env) auxiliaryHead(x *ir.Value, classes int64) *ir.Value {
	if e.Err() != nil {
		return x
	}
	const name = "auxiliary_head"
	h, w := x.Shape[2], x.Shape[3]
	if h != w || h < 4 {
		e.Fail("auxiliary head: expected a square of at least 4x4 after the second reduction, found %dx%d", h, w)
		return x
	}
	y := e.AveragePool(e.Relu(x), op.Conv2D{Kernel: [2]int64{h - 3, w - 3}, Stride: 3})
	y = e.norm(name+".features.3", e.pointwise(name+".features.2", y, 128, 1), true, nil)
	y = e.conv(name+".features.5", e.Relu(y), 768, op.Conv2D{Kernel: [2]int64{2, 2}})
	y = e.Relu(e.norm(name+".features.6", y, true, nil))
	return e.linear(name+".classifier", e.Flatten(y), classes)
}
