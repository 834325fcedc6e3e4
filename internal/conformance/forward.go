package conformance

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/export"
	"rnas/internal/interp"
	"rnas/internal/tensor"
)

// Result is the outcome of one case.
type Result struct {
	Case
	Operators []string // of the model, qualified by domain
	Unlisted  []string // those that neither the table of operators nor the reader knows; such a case does not run
	Fixed     int      // inputs that had to be constants
	Forward   error
	Gradient  Gradient
}

// Listed reports whether all operators of the model are known.
func (r *Result) Listed() bool { return len(r.Unlisted) == 0 }

// rewritten are operators that the reader expresses by others.
var rewritten = []string{"Constant", "If", "Scatter", "Upsample"}

// Run runs one case forward and checks its gradient.
func Run(c Case) (*Result, error) {
	r := &Result{Case: c}
	model, err := c.model()
	if err != nil {
		return nil, err
	}
	outline, err := export.ReadOutline(model)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c, err)
	}
	for _, o := range outline.Operators {
		name := o.Name
		if o.Domain != "" {
			name = o.Domain + "." + name
		}
		r.Operators = append(r.Operators, name)
		if op.Lookup(o.Domain, o.Name) == nil && !(o.Domain == "" && slices.Contains(rewritten, o.Name)) {
			r.Unlisted = append(r.Unlisted, name)
		}
	}
	if !r.Listed() {
		return r, nil
	}
	g, inputs, err := r.read(model, outline)
	if err == nil {
		err = r.compare(g, inputs)
	}
	if err != nil {
		r.Forward = err
		return r, nil
	}
	r.Gradient = checkGradient(c.String(), g, inputs)
	return r, nil
}

// read reads the model and its inputs. The compiler wants shapes, axes and the like as constants, while many cases
// pass them as inputs: while the reader asks for a constant, inputs become constants, those that are no
// floating-point numbers first, each kind from the last to the first.
func (r *Result) read(model []byte, outline export.Outline) (*ir.Graph, map[string]*tensor.Tensor, error) {
	tensors, err := r.tensors("input")
	if err != nil {
		return nil, nil, err
	}
	if len(tensors) != len(outline.Inputs) {
		return nil, nil, fmt.Errorf("%d tensors for %d inputs", len(tensors), len(outline.Inputs))
	}
	inputs := map[string]*tensor.Tensor{}
	var order []string // in which inputs become constants
	for _, floats := range []bool{false, true} {
		for i, name := range slices.Backward(outline.Inputs) {
			if inputs[name] = tensors[i]; tensors[i].DType().IsFloat() == floats {
				order = append(order, name)
			}
		}
	}
	fixed := map[string]*tensor.Tensor{}
	g, err := export.Unmarshal(model, export.ReadOptions{})
	first := err
	for _, name := range order {
		if err == nil || !strings.Contains(err.Error(), "constant") {
			break
		}
		fixed[name] = inputs[name]
		delete(inputs, name)
		g, err = export.Unmarshal(model, export.ReadOptions{Fixed: fixed})
	}
	if err != nil {
		return nil, nil, first
	}
	r.Fixed = len(fixed)
	return g, inputs, nil
}

// compare runs the graph and compares its outputs with the published ones.
func (r *Result) compare(g *ir.Graph, inputs map[string]*tensor.Tensor) error {
	want, err := r.tensors("output")
	if err != nil {
		return err
	}
	if len(want) != len(g.Outputs) {
		return fmt.Errorf("%d tensors for %d outputs", len(want), len(g.Outputs))
	}
	got, err := interp.Run(g, inputs)
	if err != nil {
		return err
	}
	for i, v := range g.Outputs {
		if v.Type != want[i].DType() {
			return fmt.Errorf("output %s: got %s, want %s", v.Name, v.Type, want[i].DType())
		}
		rel, inexact := tolerances[v.Type]
		if inexact && slices.Contains(rounded, r.String()) {
			rel = 1e-3
		}
		if err := near(got[v.Name], want[i], rel); err != nil {
			return fmt.Errorf("output %s: %w", v.Name, err)
		}
	}
	return nil
}

// tolerances are relative: the published outputs were computed in the type itself, here everything is computed in
// float64 and rounded at the end.
var tolerances = map[tensor.DType]float64{
	tensor.Float64: 1e-7, tensor.Float32: 1e-5, tensor.Float16: 2e-3, tensor.BFloat16: 1.6e-2,
}

// rounded are cases whose published outputs have few digits; the tolerance of ONNX's own test runner applies.
var rounded = []string{"node/averagepool_2d_ceil_last_window_starts_on_pad"}

// near compares shapes and elements; rel 0 means that they must be equal.
func near(got, want *tensor.Tensor, rel float64) error {
	if !slices.Equal(got.Shape, want.Shape) {
		return fmt.Errorf("got shape %v, want %v", got.Shape, want.Shape)
	}
	t := want.DType()
	if t.IsFloat() && !t.IsSmall() {
		got = tensor.FromFloat64s(t, got.Shape, got.Float64s())
	}
	for i := range got.Len() {
		g, w := got.Float64At(i), want.Float64At(i)
		if g == w || math.IsNaN(g) && math.IsNaN(w) {
			continue
		}
		if rel == 0 || !(math.Abs(g-w) <= 1e-7+rel*math.Abs(w)) {
			return fmt.Errorf("element %d is %v, want %v", i, g, w)
		}
	}
	return nil
}
