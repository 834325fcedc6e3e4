package lower

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// Macro is the skeleton shared by evaluation networks and supernets: a stem, Layers cells, global average pooling and a linear
// classifier. The cells at Layers/3 and 2*Layers/3 halve the resolution and double the channels.
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

// Network is anything that lowers to a classifier. Forward takes images [N,D,H,W] in [0,1] and returns logits [N,K]. In training,
// a network with an auxiliary head also returns the logits of that head; otherwise auxiliary is nil.
type Network interface {
	Skeleton() Macro
	Forward(e *Env, images *ir.Value) (logits, auxiliary *ir.Value)
}

// stemMultiplier is the width of the stem, as a multiple of that of the first cells.
const stemMultiplier = 3

// normalise subtracts Mean and divides by Std.
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

// place is where a cell stands: the prefix of its parameter names, its width, and whether it or the cell before it halves the
// resolution.
type place struct {
	index                 int
	name                  string
	c                     int64
	reduce, reducedBefore bool
}

// cellFunc lowers a cell. Its inputs are the outputs of the two cells before it.
type cellFunc func(e *Env, at place, before, last *ir.Value) *ir.Value

// run lowers the skeleton around cell. after, which may be nil, sees the output of every cell.
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
		kind := ".normal"
		if m.Reduces(i) {
			kind = ".reduce"
		}
		at := place{i, fmt.Sprintf("cells.%d", i), c, m.Reduces(i), reducedBefore}
		e.In(at.name+kind, func() { y = cell(e, at, before, last) })
		before, last, reducedBefore = last, y, m.Reduces(i)
		if after != nil {
			after(i, y)
		}
	}
	return m.classify(e, y)
}

// classify is global average pooling and the linear classifier: [N,C,H,W] to [N,K].
func (m Macro) classify(e *Env, x *ir.Value) (y *ir.Value) {
	e.In("classifier", func() { y = e.linear("classifier", e.Flatten(e.GlobalAveragePool(x)), int64(m.Classes)) })
	return y
}

// preprocess brings the two inputs of a cell to its width and resolution.
func (e *Env) preprocess(at place, before, last *ir.Value, affine bool) (s0, s1 *ir.Value) {
	e.In("preprocess0", func() {
		if at.reducedBefore {
			s0 = e.factorizedReduce(at.name+".preprocess0", before, at.c, affine, nil)
		} else {
			s0 = e.reluConvNorm(at.name+".preprocess0", before, at.c, affine)
		}
	})
	e.In("preprocess1", func() { s1 = e.reluConvNorm(at.name+".preprocess1", last, at.c, affine) })
	return s0, s1
}
