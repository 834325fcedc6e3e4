package program_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/op"
	"rnas/compiler/pass"
	"rnas/compiler/program"
	"rnas/export"
	"rnas/internal/npy"
	"rnas/internal/pythontest"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// session runs a graph as a file, symbolic batch or not, on ONNX Runtime.
func session(t *testing.T, g *ir.Graph, in map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	orttest.Open(t)
	data, err := export.Marshal(g, export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := ort.NewSession(data, ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var args []*tensor.Tensor
	for _, v := range g.Inputs {
		args = append(args, in[v.Name])
	}
	results, err := s.RunAlloc(args)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*tensor.Tensor{}
	for i, v := range g.Outputs {
		out[v.Name] = results[i]
	}
	return out
}

func interpret(t *testing.T, g *ir.Graph, in map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	out, err := interp.Run(g, in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var graphEngines = map[string]func(*testing.T, *ir.Graph, map[string]*tensor.Tensor) map[string]*tensor.Tensor{
	"interpreter": interpret, "onnxruntime": session,
}

// deployed is the model of a fixture; parameter gradients need a fixed batch and normalisation apart from the weights.
func deployed(t *testing.T, l loaded, d program.Derivative) *ir.Graph {
	t.Helper()
	batch := ir.N
	if d.Params {
		batch = 4
	}
	g, err := program.Deploy(l.net, l.layout, l.params, l.stats, batch, !d.Params)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Append(g); err != nil {
		t.Fatal(err)
	}
	if err := pass.Run(g, pass.Training()); err != nil {
		t.Fatal(err)
	}
	return g
}

// The gradient graph of a model with a symbolic batch has PyTorch's logits, losses and input gradient.
func TestTorchInputGradient(t *testing.T) {
	for _, f := range fixtures {
		l := load(t, f)
		g := deployed(t, l, program.Derivative{Loss: "ce"})
		for name, run := range graphEngines {
			t.Run(f.file+"/"+name, func(t *testing.T) {
				out := run(t, g, map[string]*tensor.Tensor{"input": l.want["x"], "labels": l.want["y"]})
				if d, _ := maxDiff(t, out["logits"], l.want["logits_eval"]); d > 1e-5 {
					t.Errorf("logits differ by %.2g", d)
				}
				sum := 0.0
				for _, v := range out["loss"].Float64s() {
					sum += v
				}
				if want := 4 * l.want["loss_eval"].Float64At(0); math.Abs(sum-want) > 4e-5 {
					t.Errorf("the losses sum up to %.7f, want %.7f", sum, want)
				}
				want := scaled(l.want["input_grad_eval"], 4) // PyTorch differentiated the mean
				if d, largest := maxDiff(t, out["grad.input"], want); d > 1e-5*largest {
					t.Errorf("input gradient differs by %.2g of its largest entry", d/largest)
				}
			})
		}
	}
}

func scaled(x *tensor.Tensor, k float64) *tensor.Tensor {
	v := slices.Clone(x.Float64s())
	for i := range v {
		v[i] *= k
	}
	return tensor.FromFloat64s(tensor.Float64, x.Shape, v)
}

// Every parameter gradient of a network in training mode, its parameters constants, is PyTorch's.
func TestTorchParameterGradients(t *testing.T) {
	l := load(t, fixtures[1]) // without an auxiliary head
	b := op.NewB("training")
	in := map[string]*tensor.Tensor{"images": l.want["x"], "labels": l.want["y"]}
	images := b.Input("images", ir.Float32, 4, 3, 32, 32)
	e := &lower.Env{B: b, Train: true, Param: func(p lower.Param) *ir.Value {
		v := l.layout.Tensor(*l.layout.Slot(p.Name), l.params, l.stats)
		if p.Kind.Statistic() {
			in[p.Name] = v
			return b.Input(p.Name, ir.Float32, p.Shape...)
		}
		return b.NamedConst(p.Name, v)
	}}
	logits, _ := l.net.Forward(e, images)
	b.Output("logits", logits)
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range l.layout.Params {
		names = append(names, s.Name)
	}
	if err := (program.Derivative{Loss: "ce", Params: true, Names: names}).Append(g); err != nil {
		t.Fatal(err)
	}
	for name, run := range graphEngines {
		t.Run(name, func(t *testing.T) {
			out := run(t, g, in)
			for _, name := range names {
				want := scaled(l.want["grad."+name], 4)
				diff, norm := 0.0, 0.0
				for i := range want.Len() {
					d := out["grad."+name].Float64At(i) - want.Float64At(i)
					diff, norm = diff+d*d, norm+want.Float64At(i)*want.Float64At(i)
				}
				if r := math.Sqrt(diff) / max(math.Sqrt(norm), 1e-12); r > 1e-3 {
					t.Errorf("gradient of %s differs by %.2g of its norm", name, r)
				}
			}
		})
	}
}

// All parameters of a model in evaluation mode: what is one, and agreement of the two engines.
func TestParameterGradients(t *testing.T) {
	l := load(t, fixtures[2])
	g := deployed(t, l, program.Derivative{Loss: "dlr", Params: true})
	for _, s := range l.layout.Params {
		if v := g.Output("grad." + s.Name); v == nil || !slices.Equal(v.Shape, s.Shape) {
			t.Errorf("gradient of %s %v: found %s", s.Name, s.Shape, v)
		}
	}
	for _, s := range l.layout.Stats {
		if g.Output("grad."+s.Name) != nil {
			t.Errorf("there is a gradient of the statistic %s", s.Name)
		}
	}
	in := map[string]*tensor.Tensor{"input": l.want["x"], "labels": l.want["y"]}
	want, got := interpret(t, g, in), session(t, g, in)
	for _, v := range g.Outputs {
		if d, largest := maxDiff(t, got[v.Name], want[v.Name]); d > 1e-4*max(largest, 1e-3) {
			t.Errorf("%s differs by %.2g (largest entry %.2g)", v.Name, d, largest)
		}
	}
}

// The loss of an output of any rank is its product with the weights, and the gradient is that of the sum.
func TestOutputLoss(t *testing.T) {
	for _, shape := range [][]int64{{}, {2}, {2, 3}, {2, 3, 1, 2}} {
		b := op.NewB("g")
		x := b.Input("x", ir.Float32, shape...)
		b.Output("first", b.Exp(x))
		b.Output("second", b.Mul(x, x))
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		if err := (program.Derivative{Loss: program.OutputLoss, Output: "second"}).Append(g); err != nil {
			t.Fatal(err)
		}
		n := int(ir.Shape(shape).Numel())
		v, w := make([]float32, n), make([]float32, n)
		want := make([]float64, max(1, len(shape[:min(1, len(shape))])*2))
		for i := range v {
			v[i], w[i] = float32(i+1), float32(2*i-3)
			want[i*len(want)/n] += float64(v[i] * v[i] * w[i])
		}
		out := interpret(t, g, map[string]*tensor.Tensor{"x": tensor.Of(shape, v...), "output_gradient": tensor.Of(shape, w...)})
		if !slices.Equal(out["loss"].Float64s(), want) {
			t.Errorf("%v: expected losses %v, found %v", shape, want, out["loss"].Data)
		}
		for i := range v {
			if got := out["grad.x"].Float64At(i); got != float64(2*v[i]*w[i]) {
				t.Errorf("%v: gradient %v at %d", shape, got, i)
			}
		}
	}
}

// Half-precision models are differentiated in float32, inputs and outputs included.
func TestHalfPrecision(t *testing.T) {
	b := op.NewB("half")
	x := b.Input("x", ir.Float16, ir.N, 3)
	b.Output("z", b.MatMul(x, b.Const("w", tensor.FromFloat64s(ir.Float16, []int64{3, 4}, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}))))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if err := (program.Derivative{Loss: "dlr"}).Append(g); err != nil {
		t.Fatal(err)
	}
	if loss, grad := g.Output("loss"), g.Output("grad.x"); loss.String() != "loss float32[N]" || grad.String() != "grad.x float32[N,3]" || g.Inputs[0].Type != ir.Float32 {
		t.Errorf("found %s and %s", loss, grad)
	}
}

func TestDerivativeErrors(t *testing.T) {
	model := func() *ir.Graph {
		b := op.NewB("m")
		x, other := b.Input("x", ir.Float32, ir.N, 2), b.Input("other", ir.Float32, ir.N, 2)
		b.Input("ids", ir.Int64, ir.N)
		b.Output("z", b.Mul(x, b.Const("w", tensor.Vector[float32](1, 2))))
		b.Output("step", b.Sign(other))
		b.Output("class", b.One("ArgMax", ir.Attrs{"axis": int64(1)}, x))
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	for _, c := range []struct {
		d    program.Derivative
		want string
	}{
		{program.Derivative{Loss: "mse"}, `loss: expected ce, dlr, margin, output, found "mse"`},
		{program.Derivative{Loss: "dlr"}, "loss dlr: expected logits [N,K] with K at least 3, found z float32[N,2]"},
		{program.Derivative{Loss: "ce", Output: "y"}, `expected an output among z, step, class, found "y"`},
		{program.Derivative{Loss: "ce", Output: "class"}, "expected a floating-point output, found class int64"},
		{program.Derivative{Loss: "ce", Names: []string{"ids"}}, `there is no floating-point input "ids"`},
		{program.Derivative{Loss: "ce", Names: []string{"x"}, Params: true}, `there is no floating-point constant "x"`},
		{program.Derivative{Loss: "ce", Names: []string{"x", "other"}}, "the loss of output z does not depend on other"},
		{program.Derivative{Loss: "ce", Output: "step"}, "the loss of output step depends on none of x, other, or no gradient"},
	} {
		if err := c.d.Append(model()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: expected %q, found %v", c.d, c.want, err)
		}
	}
	g := model()
	if err := (program.Derivative{Loss: "ce"}).Append(g); err != nil || g.Output("grad.other") != nil || g.Output("grad.x") == nil {
		t.Errorf("found outputs %v, %v", g.Outputs, err)
	}
}

// Gradient graphs pass onnx.checker, and Python's ONNX Runtime computes what we do.
func TestGradientGraphInPython(t *testing.T) {
	dir := t.TempDir()
	l := load(t, fixtures[1])
	var args []string
	for i, d := range []program.Derivative{
		{Loss: "ce"}, {Loss: "dlr"}, {Loss: "margin"}, {Loss: "output"}, {Loss: "ce", Params: true},
	} {
		g := deployed(t, l, d)
		known := map[string]*tensor.Tensor{"input": l.want["x"], "labels": l.want["y"], "output_gradient": l.want["logits_eval"]}
		in := map[string]*tensor.Tensor{}
		var arrays []npy.Array
		for _, v := range g.Inputs {
			in[v.Name] = known[v.Name]
			arrays = append(arrays, npy.Array{Name: v.Name, Tensor: in[v.Name]})
		}
		out := interpret(t, g, in)
		for _, v := range g.Outputs {
			arrays = append(arrays, npy.Array{Name: v.Name, Tensor: out[v.Name]})
		}
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := npy.WriteNPZ(path+".npz", arrays); err != nil {
			t.Fatal(err)
		}
		for _, opset := range []int{16, 21} {
			name := fmt.Sprintf("%s.%d.onnx", path, opset)
			if err := export.WriteFile(name, g, export.Options{Opset: opset}); err != nil {
				t.Fatal(err)
			}
			args = append(args, path+".npz", name)
		}
	}
	t.Logf("%s", pythontest.Run(t, "testdata/gradients.py", args...))
}
