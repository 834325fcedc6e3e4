package conformance

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/export"
	"rnas/internal/tensor"
)

// Result is the outcome of one case. Load fills Case, Operators and Unlisted, Run the other fields.
type Result struct {
	Case
	Operators []string // of the model, qualified by domain
	Unlisted  []string // those that neither the table of operators nor the reader knows; such a case does not run
	Fixed     int      // inputs that had to be constants
	Forward   error
	Gradient  Gradient

	model   []byte
	outline export.Outline
}

// Listed reports whether all operators of the model are known.
func (r *Result) Listed() bool { return len(r.Unlisted) == 0 }

// rewritten are operators that the reader expresses by others.
var rewritten = []string{"Constant", "Scatter", "Upsample"}

// Load reads the outline of a case, from which the operators of its model are known without Run.
func Load(c Case) (*Result, error) {
	model, err := c.model()
	if err != nil {
		return nil, err
	}
	outline, err := export.ReadOutline(model)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c, err)
	}
	r := &Result{Case: c, model: model, outline: outline}
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
	return r, nil
}

// Run runs the case forward. If the case passes, Run checks its gradient. A case with unlisted operators does not run.
func (r *Result) Run() {
	if !r.Listed() {
		return
	}
	g, inputs, err := r.read(0)
	if err == nil {
		err = r.compare(g, inputs)
	}
	if r.Forward = err; err != nil {
		return
	}
	for {
		r.Gradient = checkGradient(r.String(), g, inputs)
		if !wantsConstant(r.Gradient.Err) {
			return
		}
		if g, inputs, err = r.read(r.Fixed + 1); err != nil {
			return
		}
	}
}

// read reads the model and its inputs. The compiler wants shapes, axes and the like as constants, while many cases
// pass them as inputs: while the reader asks for a constant, inputs become constants, those that are no
// floating-point numbers first, each kind from the last to the first, and at least the given number.
func (r *Result) read(least int) (*ir.Graph, map[string]*tensor.Tensor, error) {
	tensors, err := r.tensors("input")
	if err != nil {
		return nil, nil, err
	}
	if len(tensors) != len(r.outline.Inputs) {
		return nil, nil, fmt.Errorf("%d tensors for %d inputs", len(tensors), len(r.outline.Inputs))
	}
	inputs := map[string]*tensor.Tensor{}
	var order []string // in which inputs become constants
	for _, floats := range []bool{false, true} {
		for i, name := range slices.Backward(r.outline.Inputs) {
			if inputs[name] = tensors[i]; tensors[i].DType().IsFloat() == floats {
				order = append(order, name)
			}
		}
	}
	fixed := map[string]*tensor.Tensor{}
	var first error
	for {
		var g *ir.Graph
		if len(fixed) >= least {
			if g, err = export.Unmarshal(r.model, export.ReadOptions{Fixed: fixed}); err == nil {
				r.Fixed = len(fixed)
				return g, inputs, nil
			}
			if first == nil {
				first = err
			}
		}
		if len(fixed) == len(order) || first != nil && !wantsConstant(err) {
			return nil, nil, first
		}
		name := order[len(fixed)]
		fixed[name] = inputs[name]
		delete(inputs, name)
	}
}

func wantsConstant(err error) bool { return err != nil && strings.Contains(err.Error(), "constant") }

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
var rounded = []string{"node/averagepool_2d_ceil_last_window_starts_on_pad", "node/gridsample_bicubic"}

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
