package conformance

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"rnas/compiler/grad"
	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// Status says what became of a gradient check.
type Status int

// The outcomes of a gradient check.
const (
	NotApplicable Status = iota // no floating-point input or output
	NoRule                      // an operator on the way has no rule, with the reason in Why
	NotFinite                   // no output is finite at the point of the case
	Rounded                     // the gradient passes straight through rounding, finite differences cannot tell it
	Checked                     // compared; Err tells a difference
)

// Gradient is the outcome of a gradient check.
type Gradient struct {
	Status Status
	Why    string
	Kinks  int // directions in which the point of the case has no derivative
	Err    error
}

// checkGradient compares the gradient of a graph at the given inputs with finite differences: in single coordinates of
// every floating-point input and in random directions through all of them. The function is the sum of the outputs
// weighted by fixed random numbers, in float64. Random numbers take the place of inputs that are infinite or NaN.
func checkGradient(name string, g *ir.Graph, inputs map[string]*tensor.Tensor) Gradient {
	if len(grad.StraightThrough(g)) > 0 {
		return Gradient{Status: Rounded}
	}
	if reinterprets(g) {
		return Gradient{}
	}
	widen(g)
	s := draw(name)
	p := probe{inputs: map[string]*tensor.Tensor{}}
	var free []*ir.Value
	for _, v := range g.Inputs {
		p.inputs[v.Name] = finite(wideTensor(inputs[v.Name]), &s)
		if v.Type == ir.Float64 && v.Shape.Static() && v.Shape.Numel() > 0 {
			free = append(free, v)
			p.names = append(p.names, v.Name)
		}
	}
	fail := func(err error) Gradient { return Gradient{Status: Checked, Err: err} }
	loss := *g
	loss.Nodes, loss.Outputs = slices.Clone(g.Nodes), slices.Clone(g.Outputs)
	forward, err := interp.Compile(&loss)
	if err != nil {
		return fail(fmt.Errorf("in float64: %w", err))
	}
	point, err := forward.Run(p.inputs)
	if err != nil {
		return fail(fmt.Errorf("in float64: %w", err))
	}
	b := op.Extend(g)
	var ys, dys []*ir.Value
	outside := Gradient{}
	for _, y := range loss.Outputs {
		if y.Type != ir.Float64 || point[y.Name].Len() == 0 {
			continue
		}
		if slices.ContainsFunc(point[y.Name].Float64s(), func(v float64) bool { return math.IsInf(v, 0) || math.IsNaN(v) }) {
			outside.Status = NotFinite
			continue
		}
		w := make([]float64, point[y.Name].Len())
		for i := range w {
			w[i] = 0.5 + s.Float64() // of one sign, so that kinks of one kind do not cancel
		}
		ys = append(ys, y)
		dys = append(dys, b.Const("weight", tensor.FromFloat64s(ir.Float64, point[y.Name].Shape, w)))
		p.outs, p.weights = append(p.outs, y.Name), append(p.weights, w)
	}
	if len(free) == 0 {
		return Gradient{}
	}
	if len(ys) == 0 {
		return outside
	}
	p.loss = forward
	grads := grad.Gradients(b, ys, dys, free)
	g.Outputs = nil
	for i, v := range grads {
		p.depends = append(p.depends, v != nil)
		if v != nil {
			b.Output("gradient."+free[i].Name, b.Identity(v))
		}
	}
	g, err = b.Build()
	switch {
	case err != nil && strings.Contains(err.Error(), "has no gradient"):
		return Gradient{Status: NoRule, Why: err.Error()}
	case err != nil:
		return fail(err)
	}
	if p.gradient, err = interp.Compile(g); err != nil {
		return fail(err)
	}
	return p.check(&s)
}

// finite puts random numbers in the place of infinities and NaN.
func finite(t *tensor.Tensor, s *rng.Stream) *tensor.Tensor {
	d, ok := t.Data.([]float64)
	if !ok {
		return t
	}
	d = slices.Clone(d)
	for i, v := range d {
		if math.IsInf(v, 0) || math.IsNaN(v) {
			d[i] = 2*s.Float64() - 1
		}
	}
	return &tensor.Tensor{Shape: t.Shape, Data: d}
}

// reinterprets reports whether a graph uses the bits of numbers, so that it cannot be computed in another type.
func reinterprets(g *ir.Graph) (found bool) {
	g.Walk(func(n *ir.Node) { found = found || n.Op == "BitCast" })
	return found
}

// draw gives the stream of random numbers of one case.
func draw(name string) rng.Stream {
	h := uint64(14695981039346656037) // FNV-1a
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return rng.New(h, rng.Probe, 0, 0, 0)
}
