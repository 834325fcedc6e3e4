package lower

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/genotype"
)

// bench201Stages is the number of stages of equal resolution; a residual block that halves it stands between two.
const bench201Stages = 3

// validBench201 checks that every stage has as many cells.
func (m Macro) validBench201() error {
	if m.Layers%bench201Stages != 0 {
		return fmt.Errorf("%d layers: networks of NAS-Bench-201 have as many cells in each of %d stages", m.Layers, bench201Stages)
	}
	return nil
}

// bench201 is the skeleton of NAS-Bench-201 (Dong and Yang, ICLR 2020, section 2.1): a stem of one convolution, stages of
// Layers/3 cells with C, 2C and 4C channels, a normalisation and ReLU, global average pooling and a linear classifier.
// Parameters have the names of the public code (TinyNetwork, TinyNetworkDarts, ResNetBasicblock), which counts the residual
// blocks as cells. cell lowers the cell of that name of c channels.
func (m Macro) bench201(e *Env, images *ir.Value, cell func(name string, x *ir.Value, c int64) *ir.Value) *ir.Value {
	c := int64(m.Channels)
	var y *ir.Value
	e.In("stem", func() {
		y = e.norm("stem.1", e.conv("stem.0", m.normalise(e, images), c, op.Same(3, 1, 1)), true, nil)
	})
	index := 0
	next := func(lower func(name string)) {
		name := fmt.Sprintf("cells.%d", index)
		e.In(name, func() { lower(name) })
		index++
	}
	for stage := range bench201Stages {
		if stage > 0 {
			c *= 2
			next(func(name string) { y = e.residualBlock(name, y, c) })
		}
		for range m.Layers / bench201Stages {
			next(func(name string) { y = cell(name, y, c) })
		}
	}
	e.In("lastact", func() { y = e.Relu(e.norm("lastact.0", y, true, nil)) })
	return m.classify(e, y)
}

// bench201Cell is a cell (InferCell): every node is the sum of an operation of each node before it, and the last is the output.
func (n Evaluation) bench201Cell(e *Env, name string, x *ir.Value, c int64) *ir.Value {
	nodes := []*ir.Value{x}
	k := 0
	for i := range genotype.NASBench201Nodes {
		var parts []*ir.Value
		for _, from := range nodes {
			prim := n.Genotype.Edges[k]
			at := edge{name: fmt.Sprintf("%s.layers.%d", name, k), c: c, stride: 1}
			e.In(fmt.Sprintf("edge.%d.%s", k, prim), func() {
				y := bench201Primitives[prim](e, from, at)
				if y != nil && e.DropPath != nil && prim != genotype.SkipConnect {
					y = e.Mul(y, e.DropPath())
				}
				if y != nil {
					parts = append(parts, y)
				}
			})
			k++
		}
		if len(parts) == 0 {
			parts = append(parts, e.zero(x, false))
		}
		e.In(fmt.Sprintf("node.%d", i+1), func() { nodes = append(nodes, e.Sum(parts...)) })
	}
	return nodes[len(nodes)-1]
}

// bench201Primitives has one row per operation of NAS-Bench-201, in cells of stride 1. Pooling is not normalised, in a supernet
// neither.
var bench201Primitives = map[genotype.Primitive]primitive{
	genotype.None:        func(*Env, *ir.Value, edge) *ir.Value { return nil },
	genotype.SkipConnect: skip,
	genotype.NorConv1x1:  norConv(1),
	genotype.NorConv3x3:  norConv(3),
	genotype.AvgPool3x3: func(e *Env, x *ir.Value, at edge) *ir.Value {
		y := e.pooled(genotype.AvgPool3x3, op.B.AveragePool, x, at.stride)
		if at.gain != nil {
			y = e.gained(y, at.gain)
		}
		return y
	},
}

// norConv is ReLU, convolution and normalisation: name.op.1 and name.op.2.
func norConv(k int64) primitive {
	return func(e *Env, x *ir.Value, at edge) *ir.Value {
		y := e.conv(at.name+".op.1", e.Relu(x), at.c, op.Same(k, at.stride, 1))
		return e.norm(at.name+".op.2", y, !at.super, at.gain)
	}
}

// residualBlock halves the resolution by two convolutions, beside average pooling and a 1x1 convolution.
func (e *Env) residualBlock(name string, x *ir.Value, c int64) *ir.Value {
	var y, down *ir.Value
	e.In("conv_a", func() { y = norConv(3)(e, x, edge{name: name + ".conv_a", c: c, stride: 2}) })
	e.In("conv_b", func() { y = norConv(3)(e, y, edge{name: name + ".conv_b", c: c, stride: 1}) })
	e.In("downsample", func() {
		down = e.AveragePool(x, op.Conv2D{Kernel: [2]int64{2, 2}, Stride: 2})
		down = e.pointwise(name+".downsample.1", down, c, 1)
	})
	return e.Add(down, y)
}
