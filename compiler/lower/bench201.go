package lower

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/genotype"
)

// bench201Stages is the number of stages of equal resolution; a residual block that halves it stands between two.
const bench201Stages = 3

// bench201 is the network of NAS-Bench-201 (Dong and Yang, ICLR 2020, section 2.1): a stem of one convolution, stages of Layers/3
// cells with C, 2C and 4C channels, a normalisation and ReLU, global average pooling and a linear classifier. Parameters have the
// names of the public code (TinyNetwork, InferCell, ResNetBasicblock), which counts the residual blocks as cells.
func (n Evaluation) bench201(e *Env, images *ir.Value) *ir.Value {
	c := int64(n.Channels)
	var y *ir.Value
	e.In("stem", func() {
		y = e.norm("stem.1", e.conv("stem.0", n.normalise(e, images), c, op.Same(3, 1, 1)), true, nil)
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
		for range n.Layers / bench201Stages {
			next(func(name string) { y = n.bench201Cell(e, name, y, c) })
		}
	}
	e.In("lastact", func() { y = e.Relu(e.norm("lastact.0", y, true, nil)) })
	return n.classify(e, y)
}

// bench201Cell is a cell. Every node is the sum of one operation of each node before it; the last node is the output.
func (n Evaluation) bench201Cell(e *Env, name string, x *ir.Value, c int64) *ir.Value {
	nodes := []*ir.Value{x}
	k := 0
	for i := range genotype.NASBench201Nodes {
		var parts []*ir.Value
		for _, from := range nodes {
			prim := n.Genotype.Edges[k]
			layer := fmt.Sprintf("layers.%d", k)
			e.In(fmt.Sprintf("edge.%d.%s", k, prim), func() {
				y := e.bench201Op(name+"."+layer, prim, from, c)
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

// bench201Op is one operation; nil means zero.
func (e *Env) bench201Op(name string, p genotype.Primitive, x *ir.Value, c int64) *ir.Value {
	switch p {
	case genotype.SkipConnect:
		return x
	case genotype.NorConv1x1:
		return e.reluConvNorm(name, x, c, true)
	case genotype.NorConv3x3:
		return e.convBlock(name, x, c, 1)
	case genotype.AvgPool3x3:
		return e.AveragePool(x, op.Same(3, 1, 1))
	}
	return nil
}

// convBlock is ReLU, 3x3 convolution and normalisation; its layers are name.op.1 and name.op.2.
func (e *Env) convBlock(name string, x *ir.Value, c, stride int64) *ir.Value {
	return e.norm(name+".op.2", e.conv(name+".op.1", e.Relu(x), c, op.Same(3, stride, 1)), true, nil)
}

// residualBlock halves the resolution by two convolutions, beside average pooling and a 1x1 convolution.
func (e *Env) residualBlock(name string, x *ir.Value, c int64) *ir.Value {
	var y, down *ir.Value
	e.In("conv_a", func() { y = e.convBlock(name+".conv_a", x, c, 2) })
	e.In("conv_b", func() { y = e.convBlock(name+".conv_b", y, c, 1) })
	e.In("downsample", func() {
		down = e.AveragePool(x, op.Conv2D{Kernel: [2]int64{2, 2}, Stride: 2})
		down = e.pointwise(name+".downsample.1", down, c, 1)
	})
	return e.Add(down, y)
}
