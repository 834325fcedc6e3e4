package program_test

import (
	"errors"
	"io/fs"
	"math"
	"strings"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/export/checkpoint"
	"rnas/genotype"
	"rnas/internal/npy"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// fixture is a network with weights, inputs and results computed by PyTorch; see testdata/torch/README.md.
type fixture struct {
	file, genotype            string
	channels, layers, classes int
	aux                       bool
}

var fixtures = []fixture{
	{"DARTS_V2_C6_L5_aux", "zoo:DARTS_V2", 6, 5, 10, true},
	{"PC_DARTS_cifar_C8_L8", "zoo:PC_DARTS_cifar", 8, 8, 10, false},
	{"NASNet_C4_L6", "zoo:NASNet", 4, 6, 100, false},
	{"ARNAS_C4_L5", "zoo:ARNAS", 4, 5, 10, false},
	{"RobNet_C4_L5", "zoo:RobNet_free", 4, 5, 10, false},
	{"NASBench201_C4_L3", "|avg_pool_3x3~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|", 4, 3, 10, false},
}

type loaded struct {
	net           lower.Evaluation
	layout        *program.Layout
	params, stats []float32
	want          map[string]*tensor.Tensor
}

func load(t *testing.T, f fixture) loaded {
	t.Helper()
	g, err := genotype.Load(f.genotype)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Links) > f.layers {
		g.Links = g.Links[:f.layers]
	}
	out := loaded{want: map[string]*tensor.Tensor{}}
	out.net = lower.Evaluation{
		Macro:    lower.Macro{Channels: f.channels, Layers: f.layers, Classes: f.classes, Height: 32, Width: 32, Depth: 3},
		Genotype: g, Aux: f.aux,
	}
	if out.layout, err = program.NewLayout(out.net); err != nil {
		t.Fatal(err)
	}
	path := "../../testdata/torch/" + f.file
	weights, _, err := checkpoint.Read(path + ".safetensors")
	if errors.Is(err, fs.ErrNotExist) {
		weights, _, err = checkpoint.Read(path + ".pt")
	}
	if err != nil {
		t.Fatal(err)
	}
	out.params, out.stats = make([]float32, out.layout.ParamLen), make([]float32, out.layout.StatLen)
	seen := 0
	for _, w := range weights {
		if strings.HasSuffix(w.Name, "num_batches_tracked") {
			continue
		}
		s := out.layout.Slot(w.Name)
		if s == nil {
			t.Fatalf("%s: %s is not in the layout", f.file, w.Name)
		}
		copy(out.layout.Tensor(*s, out.params, out.stats).Float32s(), w.Tensor.Float32s())
		seen++
	}
	if want := len(out.layout.Params) + len(out.layout.Stats); seen != want {
		t.Fatalf("%s: %d tensors for a layout of %d", f.file, seen, want)
	}
	arrays, err := npy.ReadNPZ("../../testdata/torch/" + f.file + ".npz")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range arrays {
		out.want[a.Name] = a.Tensor
	}
	return out
}

// engine executes a program once.
type engine struct {
	name string
	run  func(t *testing.T, p *program.Program, in map[string]*tensor.Tensor) map[string]*tensor.Tensor
}

var (
	engines       = []engine{{"interpreter", runInterpreter}, {"onnxruntime", runRuntime}}
	searchEngines = []engine{{"interpreter", runInterpreter}, {"onnxruntime", runSearch}}
)

func runInterpreter(t *testing.T, p *program.Program, in map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	out, err := interp.Run(p.Graph, in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func runRuntime(t *testing.T, p *program.Program, in map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	return runOn(t, p, in, ort.Options{})
}

// runSearch is runRuntime at the level at which a search loads its steps: on their thousands of nodes ONNX Runtime's own rewrites take
// many times longer than all else.
func runSearch(t *testing.T, p *program.Program, in map[string]*tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	return runOn(t, p, in, ort.Options{Optimize: ort.LevelOff, NoMemoryPattern: true})
}

func runOn(t *testing.T, p *program.Program, in map[string]*tensor.Tensor, o ort.Options) map[string]*tensor.Tensor {
	t.Helper()
	orttest.Open(t)
	st := ort.NewStore()
	defer st.Close()
	carried := map[string]string{}
	for _, s := range p.State {
		if err := st.Add(s.State, in[s.In].Clone()); err != nil {
			t.Fatal(err)
		}
		if s.Out != "" {
			carried[s.Out] = s.State
		}
	}
	r, err := runtime.Launch(p, st, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for name, v := range in {
		if b := r.Input(name); b != nil {
			copy(tensor.Bytes(b), tensor.Bytes(v))
		}
	}
	if err := r.Step(); err != nil {
		t.Fatal(err)
	}
	out := map[string]*tensor.Tensor{}
	for _, v := range p.Graph.Outputs {
		if s, ok := carried[v.Name]; ok {
			out[v.Name] = st.Get(s).Clone()
			continue
		}
		out[v.Name] = r.Output(v.Name).Clone()
	}
	return out
}

// maxDiff is the largest absolute difference, and the largest magnitude of want.
func maxDiff(t *testing.T, got, want *tensor.Tensor) (diff, scale float64) {
	t.Helper()
	if got == nil || got.Len() != want.Len() {
		t.Fatalf("got %v, want %d elements", got, want.Len())
	}
	for i := range want.Len() {
		diff = math.Max(diff, math.Abs(got.Float64At(i)-want.Float64At(i)))
		scale = math.Max(scale, math.Abs(want.Float64At(i)))
	}
	return diff, scale
}

func TestTorchEvaluation(t *testing.T) {
	for _, f := range fixtures {
		l := load(t, f)
		for _, fold := range []bool{false, true} {
			g, err := program.Deploy(l.net, l.layout, l.params, l.stats, ir.N, fold)
			if err != nil {
				t.Fatal(err)
			}
			c, err := program.NewClassifier(g)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range engines {
				t.Run(f.file+map[bool]string{true: "/folded/", false: "/plain/"}[fold]+e.name, func(t *testing.T) {
					p, err := c.Gradient(4)
					if err != nil {
						t.Fatal(err)
					}
					out := e.run(t, p, map[string]*tensor.Tensor{"images": l.want["x"], "labels": l.want["y"]})
					if d, _ := maxDiff(t, out["logits"], l.want["logits_eval"]); d > 1e-5 {
						t.Errorf("logits differ by %.2g", d)
					}
					// PyTorch differentiated the mean loss of four images, the program the sum.
					sum := tensor.FromFloat64s(tensor.Float64, l.want["input_grad_eval"].Shape, l.want["input_grad_eval"].Float64s())
					for i := range sum.Data.([]float64) {
						sum.Data.([]float64)[i] *= 4
					}
					d, scale := maxDiff(t, out["gradient"], sum)
					off := 0
					for i := range sum.Len() {
						if math.Abs(out["gradient"].Float64At(i)-sum.Float64At(i)) > 1e-5*scale {
							off++
						}
					}
					// In float32 one unit may lie within rounding of its kink, on either side by the order of sums of this processor's
					// kernels: that moves the gradient of the pixels it sees.
					if kinks := e.name != "interpreter" && off < sum.Len()/50 && d < 1e-2*scale; off > 0 && !kinks {
						t.Errorf("input gradient differs by %.2g of its largest entry, at %d of %d pixels", d/scale, off, sum.Len())
					}
					loss := 0.0
					for _, v := range out["loss"].Float64s() {
						loss += v / 4
					}
					if want := l.want["loss_eval"].Float64At(0); math.Abs(loss-want) > 1e-5 {
						t.Errorf("loss %.7f, want %.7f", loss, want)
					}
				})
			}
		}
	}
}

func TestTorchTraining(t *testing.T) {
	for _, f := range fixtures {
		l := load(t, f)
		for _, e := range engines {
			t.Run(f.file+"/"+e.name, func(t *testing.T) {
				// Without momentum, decay and clipping the velocity after one step is the gradient.
				p, err := program.Train{Net: l.net, Batch: 4, Recipe: program.Standard, AuxWeight: 0.4}.Compile(l.layout)
				if err != nil {
					t.Fatal(err)
				}
				out := e.run(t, p, map[string]*tensor.Tensor{
					"images": l.want["x"], "labels": l.want["y"], "lr": tensor.Vector[float32](0),
					"params": tensor.Vector(l.params...), "stats": tensor.Vector(l.stats...),
					"momentum": tensor.Zeros(tensor.Float32, l.layout.ParamLen),
				})
				if d, _ := maxDiff(t, out["logits"], l.want["logits_train"]); d > 1e-5 {
					t.Errorf("logits differ by %.2g", d)
				}
				if d, _ := maxDiff(t, out["loss"], l.want["loss_train"]); d > 1e-5 {
					t.Errorf("loss differs by %.2g", d)
				}
				worst, count := 0.0, 0
				for _, s := range l.layout.Params {
					want := l.want["grad."+s.Name]
					if want == nil {
						t.Fatalf("no gradient of %s in the fixture", s.Name)
					}
					diff, norm := 0.0, 0.0
					for i := range want.Len() {
						w := want.Float64At(i)
						d := out["momentum.next"].Float64At(int(s.Offset)+i) - w
						diff, norm = diff+d*d, norm+w*w
					}
					// The gradient of a bias before a normalisation is zero but for rounding.
					r := math.Sqrt(diff) / math.Max(math.Sqrt(norm), 1e-4)
					if r > 1e-3 {
						t.Errorf("gradient of %s differs by %.2g of its norm", s.Name, r)
					}
					worst = math.Max(worst, r)
					count++
				}
				for _, s := range l.layout.Stats {
					want := l.want["after."+s.Name]
					if want == nil {
						t.Fatalf("no statistic %s in the fixture", s.Name)
					}
					for i := range want.Len() {
						if d := math.Abs(out["stats.next"].Float64At(int(s.Offset)+i) - want.Float64At(i)); d > 1e-5 {
							t.Errorf("%s[%d] differs by %.2g", s.Name, i, d)
						}
					}
				}
				t.Logf("%d gradients, largest relative difference %.2g", count, worst)
			})
		}
	}
}
