package lower

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/genotype"
)

// Macro is the skeleton shared by evaluation networks and supernets: a stem, Layers cells of which the ones at Layers/3
// and 2*Layers/3 halve the resolution and double the channels, global average pooling and a linear classifier.
type Macro struct {
	Channels int `json:"channels"` // of the first cells
	Layers   int `json:"layers"`
	Classes  int `json:"classes"`
	Height   int `json:"height"` // of the images
	Width    int `json:"width"`
	Depth    int `json:"depth"` // colour channels of the images
	// Mean and Std normalise the images inside the graph, one number per colour channel; empty for none.
	Mean []float32 `json:"mean,omitempty"`
	Std  []float32 `json:"std,omitempty"`
}

// Largest sizes that are accepted: far beyond any use, so that a mistaken number is told and not worked on.
const (
	maxLayers = 1000
	maxSize   = 1 << 16
)

// Validate checks the sizes.
func (m Macro) Validate() error {
	switch {
	case m.Channels < 1 || m.Layers < 1 || m.Classes < 2 || m.Height < 4 || m.Width < 4 || m.Depth < 1:
		return fmt.Errorf("channels %d, layers %d, classes %d and images %dx%dx%d: expected at least 1, 1, 2 and 1x4x4",
			m.Channels, m.Layers, m.Classes, m.Depth, m.Height, m.Width)
	case m.Layers > maxLayers || max(m.Channels, m.Classes, m.Height, m.Width, m.Depth) > maxSize:
		return fmt.Errorf("channels %d, layers %d, classes %d and images %dx%dx%d: expected at most %d layers and %d of the others",
			m.Channels, m.Layers, m.Classes, m.Depth, m.Height, m.Width, maxLayers, maxSize)
	case len(m.Mean) != len(m.Std) || len(m.Mean) != 0 && len(m.Mean) != m.Depth:
		return fmt.Errorf("mean and std: expected %d numbers each or none, found %d and %d", m.Depth, len(m.Mean), len(m.Std))
	}
	for _, s := range m.Std {
		if !(s > 0) {
			return fmt.Errorf("std %v must be positive", m.Std)
		}
	}
	return nil
}

// Reduces reports whether cell i halves the resolution.
func (m Macro) Reduces(i int) bool { return i == m.Layers/3 || i == 2*m.Layers/3 }

// Network is anything that lowers to a classifier. Forward takes images [N,D,H,W] in [0,1] and returns logits [N,K] and,
// where the network has an auxiliary head and the mode is training, its logits; nil otherwise.
type Network interface {
	Skeleton() Macro
	Forward(e *Env, images *ir.Value) (logits, auxiliary *ir.Value)
}

// stemMultiplier is the width of the stem over that of the first cells.
const stemMultiplier = 3

// normalise applies mean and std.
func (m Macro) normalise(e *Env, x *ir.Value) *ir.Value {
	if len(m.Mean) == 0 || e.Err() != nil {
		return x
	}
	mean := make([]float64, m.Depth)
	inv := make([]float64, m.Depth)
	for i := range mean {
		mean[i], inv[i] = float64(m.Mean[i]), 1/float64(m.Std[i])
	}
	shape := []int64{int64(m.Depth), 1, 1}
	return e.Mul(e.Sub(x, e.vector("mean", x, shape, mean)), e.vector("inverse_std", x, shape, inv))
}

// cellFunc lowers cell i, whose inputs are the outputs of the two cells before; c is its width.
type cellFunc func(e *Env, name string, before, last *ir.Value, c int64, reduce, reducedBefore bool) *ir.Value

// run lowers the skeleton around cell. after, if not nil, sees the output of every cell.
func (m Macro) run(e *Env, images *ir.Value, cell cellFunc, after func(i int, y *ir.Value)) *ir.Value {
	if err := m.Validate(); err != nil {
		e.Fail("%w", err)
		return images
	}
	c := int64(m.Channels)
	var y *ir.Value
	e.In("stem", func() {
		y = m.normalise(e, images)
		y = e.norm("stem.1", e.conv("stem.0", y, stemMultiplier*c, op.Same(3, 1, 1)), true, nil)
	})
	before, last, reducedBefore := y, y, false
	for i := range m.Layers {
		if m.Reduces(i) {
			c *= 2
		}
		name := fmt.Sprintf("cells.%d", i)
		kind := ".normal"
		if m.Reduces(i) {
			kind = ".reduce"
		}
		e.In(name+kind, func() { y = cell(e, name, before, last, c, m.Reduces(i), reducedBefore) })
		before, last, reducedBefore = last, y, m.Reduces(i)
		if after != nil {
			after(i, y)
		}
	}
	e.In("classifier", func() { y = e.linear("classifier", e.Flatten(e.GlobalAveragePool(y)), int64(m.Classes)) })
	return y
}

// preprocess brings the two inputs of a cell to its width and resolution.
func (e *Env) preprocess(name string, before, last *ir.Value, c int64, reducedBefore, affine bool) (s0, s1 *ir.Value) {
	e.In("preprocess0", func() {
		if reducedBefore {
			s0 = e.factorizedReduce(name+".preprocess0", before, c, affine, nil)
		} else {
			s0 = e.reluConvNorm(name+".preprocess0", before, c, affine)
		}
	})
	e.In("preprocess1", func() { s1 = e.reluConvNorm(name+".preprocess1", last, c, affine) })
	return s0, s1
}

// Evaluation is the network of a genotype (DARTS: NetworkCIFAR), with DARTS' auxiliary head after the second reduction
// cell if Aux.
type Evaluation struct {
	Macro
	Genotype genotype.Genotype `json:"genotype"`
	Aux      bool              `json:"aux"`
}

// Skeleton is the macro structure.
func (n Evaluation) Skeleton() Macro { return n.Macro }

// Forward lowers the network.
func (n Evaluation) Forward(e *Env, images *ir.Value) (logits, auxiliary *ir.Value) {
	if err := n.Genotype.Validate(); err != nil {
		e.Fail("%w", err)
		return images, nil
	}
	logits = n.run(e, images, n.cell, func(i int, y *ir.Value) {
		if n.Aux && e.Train && i == 2*n.Layers/3 {
			e.In("auxiliary_head", func() { auxiliary = e.auxiliaryHead(y, int64(n.Classes)) })
		}
	})
	return logits, auxiliary
}

func (n Evaluation) cell(e *Env, name string, before, last *ir.Value, c int64, reduce, reducedBefore bool) *ir.Value {
	s0, s1 := e.preprocess(name, before, last, c, reducedBefore, true)
	cell := n.Genotype.Normal
	if reduce {
		cell = n.Genotype.Reduce
	}
	states := []*ir.Value{s0, s1}
	for node := range cell.Nodes() {
		var parts []*ir.Value
		for k := node * genotype.EdgesPerNode; k < (node+1)*genotype.EdgesPerNode; k++ {
			ed := cell.Edges[k]
			at := edge{name: fmt.Sprintf("%s._ops.%d", name, k), c: c, stride: 1}
			if reduce && ed.From < genotype.Inputs {
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
			parts = append(parts, e.zero(s1, reduce))
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

// auxiliaryHead classifies an intermediate tensor (DARTS: AuxiliaryHeadCIFAR, which expects 8x8): average pooling to
// 2x2, a 1x1 convolution to 128 and a 2x2 one to 768 channels.
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
