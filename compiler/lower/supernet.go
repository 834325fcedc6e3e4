package lower

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/genotype"
)

// Supernet is the continuous relaxation of a search space (Liu et al. 2019, section 2.2): every edge of a cell is the sum of all
// primitives, weighted by a softmax over the architecture parameters of that edge. All normal cells share one set of
// architecture parameters, and all reduction cells another. The primitive "none" contributes nothing but its part of the softmax.
type Supernet struct {
	Macro
	genotype.Space
	// Partial is K of partial channel connections (Xu et al., "PC-DARTS", ICLR 2020, section 3.2): the first 1/K of the channels
	// of an edge go through its primitives, and the others pass it by. 0 and 1 stand for all channels.
	Partial int `json:"partial,omitempty"`
	// EdgeNorm weights the edges that enter a node by a softmax of their own (section 3.3 there).
	EdgeNorm bool `json:"edge_norm,omitempty"`
}

// Skeleton is the macro structure.
func (n Supernet) Skeleton() Macro { return n.Macro }

// AlphaShape is the shape of the architecture parameters: kinds of cells, edges, primitives. With EdgeNorm each edge has one more,
// the last one, which belongs to the edge as a whole.
func (n Supernet) AlphaShape() []int64 {
	columns := len(n.Primitives)
	if n.EdgeNorm {
		columns++
	}
	return []int64{int64(n.Kinds()), int64(n.Edges()), int64(columns)}
}

// Validate checks the sizes, the space and whether they fit.
func (n Supernet) Validate() error {
	if err := n.Macro.Validate(); err != nil {
		return err
	}
	if err := n.Space.Validate(); err != nil {
		return err
	}
	if n.Partial < 0 || n.Partial > 1 && n.Channels%n.Partial != 0 {
		return fmt.Errorf("partial channels: expected a divisor of %d channels, found %d", n.Channels, n.Partial)
	}
	if n.Form == genotype.NASBench201 {
		return n.validBench201()
	}
	return nil
}

// Forward lowers the supernet.
func (n Supernet) Forward(e *Env, images *ir.Value) (logits, auxiliary *ir.Value) {
	if err := n.Validate(); err != nil {
		e.Fail("supernet: %w", err)
		return images, nil
	}
	if e.Alphas == nil || !e.Alphas.Shape.Equal(n.AlphaShape()) {
		e.Fail("supernet: expected architecture parameters %v, found %s", n.AlphaShape(), e.Alphas)
		return images, nil
	}
	var weights []edgeWeights
	e.In("alphas", func() { weights = n.weights(e) })
	if n.Form == genotype.NASBench201 {
		return n.bench201(e, images, func(name string, x *ir.Value, c int64) *ir.Value {
			return n.bench201Cell(e, name, x, c, weights[0])
		}), nil
	}
	return n.run(e, images, func(e *Env, at place, before, last *ir.Value) *ir.Value {
		kind := 0
		if at.reduce {
			kind = 1
		}
		return n.cell(e, at, before, last, weights[kind])
	}, nil), nil
}

func (n Supernet) cell(e *Env, here place, before, last *ir.Value, w edgeWeights) *ir.Value {
	s0, s1 := e.preprocess(here, before, last, false)
	states := []*ir.Value{s0, s1}
	for range n.Nodes {
		states = append(states, n.node(e, primitives, states, w, func(k, from int) edge {
			at := edge{name: fmt.Sprintf("%s._ops.%d._ops", here.name, k), c: here.c, stride: 1}
			if here.reduce && from < genotype.Inputs {
				at.stride = 2
			}
			return at
		}))
	}
	return e.Concat(1, states[genotype.Inputs:]...)
}

// bench201Cell is a search cell of NAS-Bench-201 (SearchCell of its public code, with affine=False): every node is the sum over
// the nodes before it, and the last is the output.
func (n Supernet) bench201Cell(e *Env, name string, x *ir.Value, c int64, w edgeWeights) *ir.Value {
	states := []*ir.Value{x}
	for range n.Nodes {
		states = append(states, n.node(e, bench201Primitives, states, w, func(_, from int) edge {
			return edge{name: fmt.Sprintf("%s.edges.%d<-%d", name, len(states), from), c: c, stride: 1}
		}))
	}
	return states[n.Nodes]
}

// node is the node that follows states, of which it reads each. place says where edge k, from a state, stands; the parameters of its
// primitives are named after that and their numbers.
func (n Supernet) node(e *Env, table map[genotype.Primitive]primitive, states []*ir.Value, w edgeWeights, place func(k, from int) edge) *ir.Value {
	number := len(states) - n.Inputs()
	first := number * (n.Inputs() + len(states) - 1) / 2 // edges of the nodes before
	var parts, passed []*ir.Value
	for from, x := range states {
		k := first + from
		at := place(k, from)
		if n.Partial > 1 {
			var rest *ir.Value
			x, rest = e.partial(x, at, int64(n.Partial))
			if w.edges != nil {
				rest = e.gained(rest, w.edges[k])
			}
			passed = append(passed, rest)
			at.c /= int64(n.Partial)
		}
		parts = append(parts, n.mixed(e, table, k, x, at, w.primitives[k])...)
	}
	var y *ir.Value
	e.In(fmt.Sprintf("node.%d", len(states)), func() {
		if y = e.Sum(parts...); n.Partial > 1 {
			y = e.shuffle(e.Concat(1, y, e.Sum(passed...)), int64(n.Partial))
		}
	})
	return y
}

// mixed lists the weighted primitives of edge k, which reads x.
func (n Supernet) mixed(e *Env, table map[genotype.Primitive]primitive, k int, x *ir.Value, at edge, gains []*ir.Value) (parts []*ir.Value) {
	name := at.name
	at.super = true
	for p, prim := range n.Primitives {
		at.name, at.gain = fmt.Sprintf("%s.%d", name, p), gains[p]
		e.In(fmt.Sprintf("edge.%d.%s", k, prim), func() {
			if y := table[prim](e, x, at); y != nil {
				parts = append(parts, y)
			}
		})
	}
	return parts
}

// edgeWeights are the weights of one kind of cell, scalars.
type edgeWeights struct {
	primitives [][]*ir.Value // by edge and primitive, with EdgeNorm times that of the edge
	edges      []*ir.Value   // with EdgeNorm
}

// weights are those of each kind of cell.
func (n Supernet) weights(e *Env) []edgeWeights {
	alphas, betas := e.Alphas, (*ir.Value)(nil)
	if n.EdgeNorm {
		parts := e.Split(alphas, 2, int64(len(n.Primitives)), 1)
		alphas, betas = parts[0], n.softmaxOfNodes(e, parts[1])
	}
	soft := e.Softmax(alphas, 2)
	if e.Mix != nil {
		soft = e.Mix(e.B, soft)
	}
	if n.EdgeNorm {
		soft = e.Mul(soft, betas)
	}
	scalars := e.scalars(soft, n.Kinds()*n.Edges()*len(n.Primitives))
	out := make([]edgeWeights, n.Kinds())
	for i := range out {
		for range n.Edges() {
			out[i].primitives = append(out[i].primitives, scalars[:len(n.Primitives)])
			scalars = scalars[len(n.Primitives):]
		}
	}
	if n.EdgeNorm && n.Partial > 1 {
		scalars = e.scalars(betas, n.Kinds()*n.Edges())
		for i := range out {
			out[i].edges = scalars[i*n.Edges() : (i+1)*n.Edges()]
		}
	}
	return out
}

// softmaxOfNodes takes a softmax over the edges of each node of betas [kinds,edges,1].
func (n Supernet) softmaxOfNodes(e *Env, betas *ir.Value) *ir.Value {
	sizes := make([]int64, n.Nodes)
	for i := range sizes {
		sizes[i] = int64(n.Inputs() + i)
	}
	var soft []*ir.Value
	for _, node := range e.Split(betas, 1, sizes...) {
		soft = append(soft, e.Softmax(node, 1))
	}
	return e.Concat(1, soft...)
}

// scalars are the count numbers of x, [1] each.
func (e *Env) scalars(x *ir.Value, count int) []*ir.Value {
	sizes := make([]int64, count)
	for i := range sizes {
		sizes[i] = 1
	}
	return e.Split(e.Reshape(x, int64(count)), 0, sizes...)
}

// partial divides the channels of x: the first 1/k, and the others at the resolution behind the edge, by maximum over 2x2 pixels.
func (e *Env) partial(x *ir.Value, at edge, k int64) (first, rest *ir.Value) {
	if e.Err() != nil {
		return x, x
	}
	part := func(what string, start, end int64) *ir.Value {
		return e.once(what, x, func() sharedValue {
			return sharedValue{value: e.Slice(x, []int64{start}, []int64{end}, []int64{1}, []int64{1})}
		}).value
	}
	first, rest = part("first channels", 0, at.c/k), part("other channels", at.c/k, at.c)
	if at.stride == 2 {
		rest = e.once("halved", rest, func() sharedValue {
			return sharedValue{value: e.MaxPool(rest, op.Conv2D{Kernel: [2]int64{2, 2}, Stride: 2})}
		}).value
	}
	return first, rest
}

// shuffle deals the channels of x [B,C,H,W] out: channel i*C/groups+j goes to j*groups+i.
func (e *Env) shuffle(x *ir.Value, groups int64) *ir.Value {
	if e.Err() != nil {
		return x
	}
	c, h, w := x.Shape[1], x.Shape[2], x.Shape[3]
	return e.Reshape(e.Transpose(e.Reshape(x, -1, groups, c/groups, h, w), 0, 2, 1, 3, 4), -1, c, h, w)
}
