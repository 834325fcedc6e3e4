// Package interp executes graphs of the intermediate representation in pure Go. It is the oracle of the tests: every
// operator follows the text of ONNX operator set 18 in the most direct way, and numerical noise is kept out.
//
// All floating-point values, whatever their declared type, are float64 from the inputs to the outputs; nothing is
// rounded to the declared type in between, and a Cast between floating-point types changes nothing, except that a Cast to
// a type of at most 8 bits rounds. Integers are
// int64 and wrap around to their declared width after every operation; uint64 numbers from 2^63 up and strings are not
// supported. No array may have more than 2^28 elements.
//
// Shapes come from the data. The recorded static dimensions and types are checked against them after every node, so
// a run is a test of shape inference as well.
package interp

import (
	"fmt"
	"slices"
	"strings"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// Program is a verified graph, ready to run any number of times. It is immutable and safe for concurrent use.
type Program struct {
	main   *plan
	consts map[*ir.Value]*array
}

// kernel computes the outputs of one node. Inputs are never changed; an output may share memory with an input.
type kernel func(c *call) ([]*array, error)

// call is what a kernel sees: the node, its inputs (nil where absent) and, for operators with nested graphs, the means to run
// these.
type call struct {
	*ir.Node
	in    []*array
	sub   []*plan // of the graphs nested in the node, in the order of their attributes
	frame *frame
}

// frame holds the values of one activation of a graph.
type frame struct {
	values map[*ir.Value]*array
	consts map[*ir.Value]*array
	outer  *frame
}

// Run executes g on inputs by name. An input declared with a floating-point type may be given in any floating-point
// type; other types must match exactly, dimensions too, and symbolic dimensions must agree among the inputs.
// Floating-point outputs are Float64 tensors whatever their declared type; the others have their declared type.
func Run(g *ir.Graph, inputs map[string]*tensor.Tensor) (map[string]*tensor.Tensor, error) {
	p, err := Compile(g)
	if err != nil {
		return nil, err
	}
	return p.Run(inputs)
}

// RunOrdered is Run with inputs and outputs in the order of the graph.
func RunOrdered(g *ir.Graph, inputs ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	p, err := Compile(g)
	if err != nil {
		return nil, err
	}
	return p.RunOrdered(inputs...)
}

// Run executes the program; see the function Run.
func (p *Program) Run(inputs map[string]*tensor.Tensor) (map[string]*tensor.Tensor, error) {
	g := p.main.graph
	ordered := make([]*tensor.Tensor, len(g.Inputs))
	for i, v := range g.Inputs {
		ordered[i] = inputs[v.Name]
	}
	if len(inputs) > len(g.Inputs) {
		var extra []string
		for name := range inputs {
			if g.Input(name) == nil {
				extra = append(extra, name)
			}
		}
		slices.Sort(extra)
		return nil, fmt.Errorf("interpreter: graph %s: no inputs of the names %s", g.Name, strings.Join(extra, ", "))
	}
	results, err := p.RunOrdered(ordered...)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*tensor.Tensor, len(results))
	for i, v := range g.Outputs {
		out[v.Name] = results[i]
	}
	return out, nil
}

// RunOrdered executes the program with inputs and outputs in the order of the graph; see the function Run.
func (p *Program) RunOrdered(inputs ...*tensor.Tensor) ([]*tensor.Tensor, error) {
	g := p.main.graph
	wrap := func(err error) error { return fmt.Errorf("interpreter: graph %s: %w", g.Name, err) }
	if len(inputs) != len(g.Inputs) {
		return nil, wrap(fmt.Errorf("expected %d inputs, found %d", len(g.Inputs), len(inputs)))
	}
	f := &frame{values: map[*ir.Value]*array{}, consts: p.consts}
	batch := ir.N
	for i, v := range g.Inputs {
		if inputs[i] == nil {
			return nil, wrap(fmt.Errorf("input %s is missing", v))
		}
		a, err := fromTensor(inputs[i])
		if err == nil {
			err = bind(v, a, &batch)
		}
		if err != nil {
			return nil, wrap(fmt.Errorf("input %s: %w", v, err))
		}
		f.values[v] = a
	}
	arrays, err := p.main.run(f)
	if err != nil {
		return nil, wrap(err)
	}
	out := make([]*tensor.Tensor, len(arrays))
	for i, a := range arrays {
		out[i] = a.tensor()
	}
	return out, nil
}

// bind checks an input against its declaration and fixes the symbolic dimension.
func bind(v *ir.Value, a *array, batch *int64) error {
	if v.Type.IsFloat() && a.dtype.IsFloat() {
		a.dtype = v.Type
	}
	if err := conform(v, a); err != nil {
		return err
	}
	for i, d := range v.Shape {
		if d != ir.N {
			continue
		}
		if *batch == ir.N {
			*batch = a.shape[i]
		}
		if a.shape[i] != *batch {
			return fmt.Errorf("found shape %v, but the symbolic dimension is %d in another input", a.shape, *batch)
		}
	}
	return nil
}

// conform compares type and static dimensions of a with the declaration of v.
func conform(v *ir.Value, a *array) error {
	ok := v.Type == a.dtype && len(v.Shape) == len(a.shape)
	for i := 0; ok && i < len(a.shape); i++ {
		ok = v.Shape[i] == a.shape[i] || v.Shape[i] == ir.N
	}
	if !ok {
		return fmt.Errorf("expected %s%s, found %s%s", v.Type, v.Shape, a.dtype, ir.Shape(a.shape))
	}
	return nil
}

// get finds a value in f or in a frame around it.
func (f *frame) get(v *ir.Value) *array {
	if v == nil {
		return nil
	}
	if v.IsConst() {
		return f.consts[v]
	}
	for at := f; at != nil; at = at.outer {
		if a, ok := at.values[v]; ok {
			return a
		}
	}
	panic("interp: value " + v.Name + " is not computed")
}

// arg is input i, or nil if it is absent.
func (c *call) arg(i int) *array {
	if i < len(c.in) {
		return c.in[i]
	}
	return nil
}

// kernels has one row per operator, keyed by domain and name.
var kernels = table(
	unaryKernels, binaryKernels, reduceKernels, rankKernels, shapeKernels, selectKernels, windowKernels, normKernels, controlKernels,
	activationKernels, linalgKernels, tileKernels, tupleKernels, lossKernels,
)

func table(families ...map[string]kernel) map[string]kernel {
	all := map[string]kernel{}
	for _, family := range families {
		for name, k := range family {
			if all[":"+name] != nil {
				panic("interp: two kernels for " + name)
			}
			all[":"+name] = k
		}
	}
	return all
}
