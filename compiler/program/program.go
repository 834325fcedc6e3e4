// Package program composes whole programs out of forward graphs and their gradients: evaluation, training steps,
// architecture steps and attacks. A program is one graph; everything that it carries from run to run is a named state.
package program

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/op"
	"rnas/internal/carry"
	"rnas/internal/tensor"
)

// Program is a graph with the states that it carries: the value of output Out of one run is the value of input In of the next one.
type Program struct {
	Graph *ir.Graph
	State []carry.Binding
}

// Slot is the place of one parameter in a flat vector.
type Slot struct {
	lower.Param
	Offset int64 // in elements
}

// Layout places parameters one behind the other in two flat float32 vectors: the trained ones, and the running
// statistics.
type Layout struct {
	Params []Slot
	Stats  []Slot
	// ParamLen and StatLen are the lengths of the vectors.
	ParamLen, StatLen int64
	index             map[string]*Slot
}

// maxParams is the number of float32 values that fit into a file of ONNX, which holds less than 2 GiB.
const maxParams = 1 << 29

// NewLayout places the parameters of n, in the order in which lowering asks for them.
func NewLayout(n lower.Network) (*Layout, error) {
	params, err := lower.Params(n, true)
	if err != nil {
		return nil, err
	}
	l := &Layout{index: map[string]*Slot{}}
	for _, p := range params {
		size := ir.Shape(p.Shape).Numel()
		if p.Kind.Statistic() {
			l.Stats = append(l.Stats, Slot{p, l.StatLen})
			l.StatLen += size
		} else {
			l.Params = append(l.Params, Slot{p, l.ParamLen})
			l.ParamLen += size
		}
		if l.ParamLen+l.StatLen >= maxParams {
			return nil, fmt.Errorf("network of %d parameters or more: expected fewer than %d, as a model file holds less than 2 GiB", l.ParamLen+l.StatLen, maxParams)
		}
	}
	for _, list := range [][]Slot{l.Params, l.Stats} {
		for i := range list {
			l.index[list[i].Name] = &list[i]
		}
	}
	return l, nil
}

// Slot finds a parameter or statistic by name; nil when there is none.
func (l *Layout) Slot(name string) *Slot { return l.index[name] }

// Tensor is the part of the flat vectors that belongs to a slot, shared.
func (l *Layout) Tensor(s Slot, params, stats []float32) *tensor.Tensor {
	flat := params
	if s.Kind.Statistic() {
		flat = stats
	}
	n := ir.Shape(s.Shape).Numel()
	return tensor.Of(s.Shape, flat[s.Offset:s.Offset+n]...)
}

// flat is a vector of the graph handed out as the tensors of a list of slots.
type flat struct {
	vector *ir.Value
	parts  []*ir.Value // one per slot, vectors
	byName map[string]*ir.Value
}

// split hands out vector by one Split, and a Reshape where a slot is not a vector.
func split(b op.B, vector *ir.Value, slots []Slot) flat {
	f := flat{vector: vector, byName: map[string]*ir.Value{}}
	sizes := make([]int64, len(slots))
	for i, s := range slots {
		sizes[i] = ir.Shape(s.Shape).Numel()
	}
	f.parts = b.Split(vector, 0, sizes...)
	for i, s := range slots {
		f.byName[s.Name] = b.Reshape(f.parts[i], s.Shape...)
	}
	return f
}

// network is a network being lowered into a program, once or several times, over one set of parameters.
type network struct {
	op.B
	net    lower.Network
	layout *Layout
	params flat
	stats  flat
	alphas *ir.Value
	mix    func(b op.B, weights *ir.Value) *ir.Value // see lower.Env.Mix
	passes *int                                      // training forward passes so far, of all networks over the same statistics
}

// at is the network with other parameters, a vector of the layout.
func (w *network) at(params *ir.Value) *network {
	other := *w
	other.params = split(w.B, params, w.layout.Params)
	return &other
}

// mixed is the network with other architecture weights.
func (w *network) mixed(mix func(b op.B, weights *ir.Value) *ir.Value) *network {
	other := *w
	other.mix = mix
	return &other
}

// open declares the inputs Params and Stats and hands out their tensors.
func open(b op.B, n lower.Network, l *Layout) *network {
	w := &network{B: b, net: n, layout: l, passes: new(int)}
	w.params = split(b, b.Input(Params, ir.Float32, l.ParamLen), l.Params)
	w.stats = split(b, b.Input(Stats, ir.Float32, l.StatLen), l.Stats)
	return w
}

// source gives parameters by name, statistics from stats.
func (w *network) source(stats flat) lower.Source {
	return func(p lower.Param) *ir.Value {
		f := w.params
		if p.Kind.Statistic() {
			f = stats
		}
		v := f.byName[p.Name]
		if v == nil {
			w.Fail("parameter %s is not in the layout", p.Name)
			return &ir.Value{}
		}
		return v
	}
}

// scratch makes statistics that one training forward pass in b has to itself, as op.B.BatchNormTrain asks for: the
// running ones times a factor that differs from pass to pass, so that no two passes share a value.
func (w *network) scratch(b op.B) flat {
	*w.passes++
	return split(b, b.Scale(w.stats.vector, 1/float64(*w.passes+1)), w.layout.Stats)
}

// mode tells how to run a forward pass.
type mode struct {
	train    bool
	dropPath func() *ir.Value
}

// forward lowers the network once more, into b, which is the builder of the program or of a loop body in it.
func (w *network) forward(b op.B, images *ir.Value, m mode) (logits, aux *ir.Value, stats []lower.Stat) {
	running := w.stats
	if m.train {
		running = w.scratch(b)
	}
	e := &lower.Env{B: b, Param: w.source(running), Train: m.train, Fold: true, Alphas: w.alphas, Mix: w.mix, DropPath: m.dropPath}
	logits, aux = w.net.Forward(e, images)
	return logits, aux, e.Stats
}

// statMomentum is the weight of a new batch in running statistics, PyTorch's default.
const statMomentum = 0.1

// updateStats mixes the statistics of one forward pass into the running ones: running += 0.1*(batch-running), with the
// unbiased variance, as PyTorch does.
func (w *network) updateStats(running *ir.Value, stats []lower.Stat) *ir.Value {
	b := w.B
	if b.Err() != nil {
		return running
	}
	parts := make([]*ir.Value, len(w.layout.Stats))
	unbias := make([]float32, w.layout.StatLen)
	place := map[string]int{}
	for i, s := range w.layout.Stats {
		place[s.Name] = i
	}
	put := func(name string, v *ir.Value, factor float64) {
		i, ok := place[name]
		if !ok {
			b.Fail("statistic %s is not in the layout", name)
			return
		}
		parts[i] = v
		s := w.layout.Stats[i]
		for k := range ir.Shape(s.Shape).Numel() {
			unbias[s.Offset+k] = float32(factor)
		}
	}
	for _, s := range stats {
		put(s.Name+".running_mean", s.Mean, 1)
		put(s.Name+".running_var", s.Variance, float64(s.Count)/float64(max(s.Count-1, 1)))
	}
	for i, p := range parts {
		if p == nil {
			b.Fail("statistic %s is missing from the forward pass", w.layout.Stats[i].Name)
			return running
		}
	}
	batch := b.Mul(b.Concat(0, parts...), b.Const("unbias", tensor.Vector(unbias...)))
	return b.Add(running, b.Scale(b.Sub(batch, running), statMomentum))
}

// Finish makes a program of what was built in b.
func Finish(b op.B, states ...carry.Binding) (*Program, error) { return build(b, states...) }

// build finishes a program and checks that every state names an input and an output of equal type and shape.
func build(b op.B, states ...carry.Binding) (*Program, error) {
	g, err := b.Build()
	if err != nil {
		return nil, err
	}
	for _, s := range states {
		in := g.Input(s.In)
		if in == nil {
			return nil, fmt.Errorf("graph %s: state %s: there is no input %s", g.Name, s.State, s.In)
		}
		if s.Out == "" {
			continue
		}
		out := g.Output(s.Out)
		if out == nil || out.Type != in.Type || !out.Shape.Equal(in.Shape) {
			return nil, fmt.Errorf("graph %s: state %s: input %s and output %s differ", g.Name, s.State, in, out)
		}
	}
	return &Program{Graph: g, State: states}, nil
}
