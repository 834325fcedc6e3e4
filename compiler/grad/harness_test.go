package grad

import (
	"fmt"
	"math"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// arg is one input of a checked function: a float64 tensor drawn uniformly from [lo, hi], or a fixed constant, or
// nothing at all.
type arg struct {
	shape  []int64
	lo, hi float64
	fixed  *tensor.Tensor
	absent bool
}

func between(lo, hi float64, shape ...int64) arg { return arg{shape: shape, lo: lo, hi: hi} }

func x(shape ...int64) arg   { return between(-2, 2, shape...) }
func pos(shape ...int64) arg { return between(0.5, 2.5, shape...) }

func ints(v ...int64) arg  { return arg{fixed: tensor.Vector(append([]int64{}, v...)...)} }
func flags(v ...bool) arg  { return arg{fixed: tensor.Vector(v...)} }
func number(v float64) arg { return arg{fixed: tensor.Scalar(v)} }
func none() arg            { return arg{absent: true} }

func indices2(rows, cols int64, v ...int64) arg {
	return arg{fixed: tensor.Of([]int64{rows, cols}, v...)}
}

func scalarIndex(v int64) arg { return arg{fixed: tensor.Scalar(v)} }

func zeros(shape ...int64) arg { return arg{fixed: tensor.Zeros(tensor.Float64, shape...)} }

// function builds differentiable outputs from the values of its arguments.
type function func(b op.B, in []*ir.Value) []*ir.Value

// draw gives the stream of test values of one name, so that adding a case does not change the others.
func draw(name string) rng.Stream {
	h := uint64(14695981039346656037) // FNV-1a
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return rng.New(h, rng.Probe, 0, 0, 0)
}

func sample(s *rng.Stream, lo, hi float64, shape ...int64) *tensor.Tensor {
	t := tensor.Zeros(tensor.Float64, shape...)
	d := t.Data.([]float64)
	for i := range d {
		d[i] = lo + (hi-lo)*s.Float64()
	}
	return t
}

// probe is a function compiled twice: alone, and with its gradient. The loss is the sum of the outputs weighted by
// random numbers.
type probe struct {
	loss    *interp.Program
	grad    *interp.Program
	point   []*tensor.Tensor // of the inputs of both programs
	weights [][]float64
	parts   []bool // inputs that have a gradient
}

// declare makes the inputs of a graph and collects all argument values, nil for absent ones.
func declare(b op.B, args []arg) (in, free []*ir.Value) {
	for i, a := range args {
		switch {
		case a.absent:
			in = append(in, nil)
		case a.fixed != nil:
			in = append(in, b.Const("fixed", a.fixed))
		default:
			v := b.Input(fmt.Sprintf("x%d", i), ir.Float64, a.shape...)
			in, free = append(in, v), append(free, v)
		}
	}
	return in, free
}

func newProbe(name string, args []arg, f function) (*probe, error) {
	s := draw(name)
	p := &probe{}
	for _, a := range args {
		if a.fixed == nil && !a.absent {
			p.point = append(p.point, sample(&s, a.lo, a.hi, a.shape...))
		}
	}
	b := op.NewB(name)
	in, _ := declare(b, args)
	ys := f(b, in)
	for i, y := range ys {
		if b.Err() == nil {
			w := sample(&s, -1, 1, y.Shape...)
			p.weights = append(p.weights, w.Float64s())
			b.Output(fmt.Sprintf("loss%d", i), y)
		}
	}
	g, err := b.Build()
	if err != nil {
		return nil, err
	}
	if p.loss, err = interp.Compile(g); err != nil {
		return nil, err
	}

	b = op.NewB(name)
	in, free := declare(b, args)
	ys = f(b, in)
	dys := make([]*ir.Value, len(ys))
	for i, y := range ys {
		dys[i] = b.Const("weight", tensor.FromFloat64s(ir.Float64, y.Shape, p.weights[i]))
	}
	for i, v := range Gradients(b, ys, dys, free) {
		p.parts = append(p.parts, v != nil)
		if v == nil || b.Err() != nil {
			continue
		}
		if !v.Shape.Equal(free[i].Shape) || v.Type != free[i].Type {
			return nil, fmt.Errorf("gradient of %s is %s", free[i], v)
		}
		b.Output(fmt.Sprintf("gradient%d", i), v)
	}
	if g, err = b.Build(); err != nil {
		return nil, err
	}
	p.grad, err = interp.Compile(g)
	return p, err
}

// at is the loss at the point moved by step times direction.
func (p *probe) at(direction [][]float64, step float64) (float64, error) {
	moved := make([]*tensor.Tensor, len(p.point))
	for i, t := range p.point {
		moved[i] = t
		if direction[i] == nil {
			continue
		}
		moved[i] = t.Clone()
		d := moved[i].Data.([]float64)
		for j := range d {
			d[j] += step * direction[i][j]
		}
	}
	ys, err := p.loss.RunOrdered(moved...)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for i, y := range ys {
		for j, v := range y.Float64s() {
			sum += v * p.weights[i][j]
		}
	}
	return sum, nil
}

// slope is the directional derivative of the loss by central differences of fourth order.
func (p *probe) slope(direction [][]float64) (float64, error) {
	const h = 1e-4
	var v [4]float64
	for i, step := range []float64{h, -h, 2 * h, -2 * h} {
		var err error
		if v[i], err = p.at(direction, step); err != nil {
			return 0, err
		}
	}
	return (8*(v[0]-v[1]) - (v[2] - v[3])) / (12 * h), nil
}

// gradient runs the gradient graph; an input that the outputs do not depend on has gradient zero.
func (p *probe) gradient() ([][]float64, error) {
	results, err := p.grad.RunOrdered(p.point...)
	if err != nil {
		return nil, err
	}
	out := make([][]float64, len(p.point))
	for i, t := range p.point {
		out[i] = make([]float64, t.Len())
		if p.parts[i] {
			out[i] = results[0].Float64s()
			results = results[1:]
		}
	}
	return out, nil
}

const tolerance = 2e-8

func near(a, b float64) bool { return math.Abs(a-b) <= tolerance*(1+math.Abs(a)+math.Abs(b)) }

// checkEvery compares the gradient with finite differences in every coordinate.
func checkEvery(t *testing.T, name string, args []arg, f function) {
	t.Helper()
	p, err := newProbe(name, args, f)
	if err != nil {
		t.Error(err)
		return
	}
	grads, err := p.gradient()
	if err != nil {
		t.Error(err)
		return
	}
	direction := make([][]float64, len(p.point))
	for i, g := range grads {
		direction[i] = make([]float64, len(g))
		for j := range g {
			direction[i][j] = 1
			want, err := p.slope(direction)
			direction[i][j] = 0
			if err != nil {
				t.Error(err)
				return
			}
			if !near(g[j], want) {
				t.Errorf("%s: input %d, element %d: finite difference %.10g, gradient %.10g", name, i, j, want, g[j])
				return
			}
		}
		direction[i] = nil
	}
}

// checkDirections compares the gradient with finite differences in random directions through all inputs.
func checkDirections(t *testing.T, name string, args []arg, f function) {
	t.Helper()
	p, err := newProbe(name, args, f)
	if err != nil {
		t.Error(err)
		return
	}
	grads, err := p.gradient()
	if err != nil {
		t.Error(err)
		return
	}
	s := draw(name + " directions")
	for range 3 {
		direction := make([][]float64, len(grads))
		have := 0.0
		for i, g := range grads {
			direction[i] = sample(&s, -1, 1, int64(len(g))).Float64s()
			for j := range g {
				have += g[j] * direction[i][j]
			}
		}
		want, err := p.slope(direction)
		if err != nil {
			t.Error(err)
			return
		}
		if !near(have, want) {
			t.Errorf("%s: along a random direction: finite difference %.10g, gradient %.10g", name, want, have)
		}
	}
}

// derivative is the gradient of f as a function of the arguments of f and of the gradients of its outputs, which
// become further arguments. Checking it checks second derivatives.
func derivative(t *testing.T, args []arg, f function) ([]arg, function) {
	t.Helper()
	b := op.NewB("shapes")
	in, _ := declare(b, args)
	more := append([]arg{}, args...)
	for _, y := range f(b, in) {
		more = append(more, between(-1, 1, y.Shape...))
	}
	return more, func(b op.B, in []*ir.Value) []*ir.Value {
		var free, out []*ir.Value
		for i, v := range in[:len(args)] {
			if !args[i].absent && args[i].fixed == nil {
				free = append(free, v)
			}
		}
		ys := f(b, in[:len(args)])
		for _, g := range Gradients(b, ys, in[len(args):], free) {
			if g != nil {
				out = append(out, g)
			}
		}
		return out
	}
}
