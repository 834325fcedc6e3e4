package inspect

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"rnas/bench/adapt"
	"rnas/compiler/grad"
	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/export"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
)

// Check is the outcome of one independent check. Difference is the largest absolute difference of two outputs, and Limit is the largest one
// that passes. Both are 0 where nothing was computed.
type Check struct {
	Name       string  `json:"name"`
	OK         bool    `json:"ok"`
	Detail     string  `json:"detail"`
	Difference float64 `json:"difference"`
	Limit      float64 `json:"limit"`
}

// VerifyOptions says how a model is checked.
type VerifyOptions struct {
	// Tolerance is the largest difference between outputs that passes, relative to the largest magnitude of the output, or to 1 if that is
	// larger.
	Tolerance float64
	Batch     int64 // batch size of models that leave it open
	Seed      uint64
	Against   string // another model to compare with; "" for none
	// Model says what the model takes. Where it says anything, the adapted model is checked in place of the file.
	Model   adapt.Flags
	Runtime ort.Options
}

// Verify checks a model. An independent decoder (onnx-go) has to read the same graph, the shapes of all values have to follow from the inputs,
// and on random inputs ONNX Runtime has to compute what the reference interpreter computes in double precision. The library must be open. An
// error means that a file could not be read or run at all.
func Verify(ctx context.Context, path string, o VerifyOptions) ([]Check, error) {
	data, err := contents(path, o)
	if err != nil {
		return nil, err
	}
	g, err := read(data, path, o.Batch, nil)
	if err != nil {
		return nil, err
	}
	checks := []Check{decoded(data, g), inferred(g)}
	fixed, err := export.Unmarshal(data, export.ReadOptions{Batch: o.Batch, Dir: filepath.Dir(path)})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	inputs, err := randomInputs(fixed, o.Seed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	got, err := execute(data, inputs, o.Runtime.Beside(path))
	if err != nil {
		return nil, fmt.Errorf("%s: ONNX Runtime: %w", path, err)
	}
	want, err := interp.RunOrdered(fixed, inputs...)
	if err != nil {
		return nil, fmt.Errorf("%s: interpreter: %w", path, err)
	}
	check := compare("interpreter", fixed, got, want, o.Tolerance)
	if !check.OK && rounds(fixed) {
		check.Detail += "; the model rounds between, where the last bit decides: allow for it in the tolerance"
	}
	checks = append(checks, check)
	if o.Against == "" {
		return checks, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	other, err := export.Load(o.Against)
	if err != nil {
		return nil, err
	}
	if want, err = execute(other, inputs, o.Runtime.Beside(o.Against)); err != nil {
		return nil, fmt.Errorf("%s: ONNX Runtime: %w", o.Against, err)
	}
	return append(checks, compare("against "+o.Against, fixed, got, want, o.Tolerance)), nil
}

// contents is the bytes of a model file, or of the model that it is adapted to.
func contents(path string, o VerifyOptions) ([]byte, error) {
	data, err := export.Load(path)
	if err != nil || o.Model.Empty() {
		return data, err
	}
	a, err := adapt.Read(data, filepath.Dir(path), o.Model, adapt.Images{}, adapt.Size{Needed: o.Batch})
	if err == nil {
		data, err = export.Marshal(a.Graph, export.Options{})
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

// rounds reports whether g rounds numbers to integers or to 16 bits on the way to its outputs.
func rounds(g *ir.Graph) bool {
	if len(grad.StraightThrough(g)) > 0 {
		return true
	}
	for _, n := range g.Nodes {
		if slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return v != nil && v.Type.Size() == 2 && v.Type.IsFloat() }) {
			return true
		}
	}
	return false
}

// decoded compares the graph with the one that onnx-go reads. Files of other programs may hold what the reader resolves, such as constants as
// nodes and older operator sets. Then the graph is written again, and the new file is compared.
func decoded(data []byte, g *ir.Graph) Check {
	c := Check{Name: "onnx-go"}
	s, err := export.Redecode(data, g)
	form := ""
	if err != nil {
		var again []byte
		if again, err = export.Marshal(g, export.Options{}); err == nil {
			s, err = export.Redecode(again, g)
		}
		form = ", after conversion to operator set 18"
	}
	if err != nil {
		c.Detail = err.Error()
		return c
	}
	c.OK = true
	c.Detail = fmt.Sprintf("%d nodes, %d attributes and %d tensors equal%s", s.Nodes, s.Attributes, s.Initializers, form)
	return c
}

// inferred checks that types and shapes follow from the inputs.
func inferred(g *ir.Graph) Check {
	if err := op.Verify(g); err != nil {
		return Check{Name: "shapes", Detail: err.Error()}
	}
	count := 0
	g.Walk(func(n *ir.Node) { count += len(n.Out) })
	return Check{Name: "shapes", OK: true, Detail: fmt.Sprintf("types and shapes of %d values follow from the inputs", count)}
}

// randomInputs draws inputs of a graph of static shapes: floating-point numbers in [0,1), integers and booleans of 0 and 1.
func randomInputs(g *ir.Graph, seed uint64) ([]*tensor.Tensor, error) {
	const most = 1 << 28
	var out []*tensor.Tensor
	for i, v := range g.Inputs {
		n, err := tensor.Numel(v.Shape)
		if err != nil || n > most {
			return nil, fmt.Errorf("input %s: expected at most %d elements", v, most)
		}
		if v.Type == tensor.String {
			return nil, fmt.Errorf("input %s: expected numbers", v)
		}
		s := rng.New(seed, rng.Probe, 0, 0, i)
		values := make([]float64, n)
		for k := range values {
			values[k] = s.Float64()
			if !v.Type.IsFloat() {
				values[k] = math.Round(values[k])
			}
		}
		out = append(out, tensor.FromFloat64s(v.Type, v.Shape, values))
	}
	return out, nil
}

// execute runs a model in ONNX Runtime.
func execute(model []byte, inputs []*tensor.Tensor, o ort.Options) ([]*tensor.Tensor, error) {
	s, err := ort.NewSession(model, o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.RunAlloc(inputs)
}

// compare compares the outputs of a graph with those of another one. Infinities and NaNs must agree.
func compare(name string, g *ir.Graph, got, want []*tensor.Tensor, tolerance float64) Check {
	c := Check{Name: name}
	if len(got) != len(want) {
		c.Detail = fmt.Sprintf("expected %d outputs, found %d", len(got), len(want))
		return c
	}
	worst := 0.0
	for i, a := range got {
		b := want[i]
		if !ir.Shape(a.Shape).Equal(b.Shape) {
			c.Detail = fmt.Sprintf("output %s: shapes %v and %v", g.Outputs[i].Name, a.Shape, b.Shape)
			return c
		}
		difference, largest := distance(a, b)
		limit := tolerance * max(1, largest)
		if ratio := difference / limit; i == 0 || !(ratio <= worst) {
			worst, c.Difference, c.Limit = ratio, difference, limit
			c.Detail = fmt.Sprintf("output %s %v, largest magnitude %.3g", g.Outputs[i].Name, a.Shape, largest)
		}
	}
	c.OK = c.Difference <= c.Limit
	return c
}

// distance is the largest difference of two tensors of one shape, and the largest finite magnitude in them. If one side alone is NaN or
// infinite, the difference is the largest finite number, because JSON cannot hold infinity.
func distance(a, b *tensor.Tensor) (difference, largest float64) {
	for i := range a.Len() {
		x, y := a.Float64At(i), b.Float64At(i)
		if x == y || math.IsNaN(x) && math.IsNaN(y) {
			if !math.IsInf(x, 0) && !math.IsNaN(x) {
				largest = max(largest, math.Abs(x))
			}
			continue
		}
		d := math.Abs(x - y)
		if math.IsNaN(d) || math.IsInf(d, 0) {
			return math.MaxFloat64, largest
		}
		difference = max(difference, d)
		largest = max(largest, math.Abs(x), math.Abs(y))
	}
	return difference, largest
}
