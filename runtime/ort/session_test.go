package ort_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"rnas/internal/tensor"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

func open(t testing.TB, model []byte, o ort.Options) *ort.Session {
	t.Helper()
	orttest.Open(t)
	s, err := ort.NewSession(model, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// wantError checks that err is one of the kind (nil is any) and that its text contains every part.
func wantError(t *testing.T, err, kind error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("expected an error with %q, found none", parts)
	}
	if kind != nil && !errors.Is(err, kind) {
		t.Errorf("expected %v, found %v", kind, err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("expected %q in %q", part, err)
		}
	}
}

func list(t ...*tensor.Tensor) []*tensor.Tensor { return t }

func TestRunEveryType(t *testing.T) {
	for _, d := range []tensor.DType{
		tensor.Float32, tensor.Float64, tensor.Float16, tensor.BFloat16, tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64,
		tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64, tensor.Bool,
	} {
		for _, shape := range [][]int64{{2, 3}, {0, 3}, {}} {
			t.Run(fmt.Sprint(d, shape), func(t *testing.T) {
				s := open(t, copier(value{name: "x", dtype: d, shape: shape}), ort.Options{})
				n, _ := tensor.Numel(shape)
				x := tensor.FromFloat64s(d, shape, []float64{1, 0, 2, 3, 0, 5}[:n])
				y := tensor.Zeros(d, shape...)
				err := s.Run(list(x), list(y))
				if d.IsFloat() && d.Size() == 2 && len(shape) == 0 {
					wantError(t, err, nil, "rank-0 "+d.String())
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if !tensor.Equal(x, y) {
					t.Errorf("expected %v, found %v", x.Data, y.Data)
				}
				out, err := s.RunAlloc(list(x))
				if err != nil {
					t.Fatal(err)
				}
				if !tensor.Equal(x, out[0]) {
					t.Errorf("RunAlloc: expected %v, found %v", x, out[0])
				}
			})
		}
	}
}

func TestInputsOutputs(t *testing.T) {
	s := open(t, counter(4), ort.Options{})
	if got, want := fmt.Sprint(s.Inputs()), "[params float32[4] grad float32[4] rate float32[]]"; got != want {
		t.Errorf("expected inputs %s, found %s", want, got)
	}
	if got, want := fmt.Sprint(s.Outputs()), "[params_next float32[4] sum float32[]]"; got != want {
		t.Errorf("expected outputs %s, found %s", want, got)
	}
	s = open(t, copier(f32("x", -1, 2)), ort.Options{})
	if got, want := fmt.Sprint(s.Inputs()), "[x float32[-1,2]]"; got != want {
		t.Errorf("expected inputs %s, found %s", want, got)
	}
}

func TestRunAllocDynamic(t *testing.T) {
	s := open(t, copier(f32("x", -1, 2)), ort.Options{})
	for _, n := range []int64{0, 1, 5} {
		x := tensor.Zeros(tensor.Float32, n, 2)
		for i := range x.Float32s() {
			x.Float32s()[i] = float32(i)
		}
		out, err := s.RunAlloc(list(x))
		if err != nil {
			t.Fatal(err)
		}
		if !tensor.Equal(x, out[0]) {
			t.Errorf("expected %v, found %v", x, out[0])
		}
	}
	half := open(t, copier(value{name: "x", dtype: tensor.Float16, shape: []int64{-1}}), ort.Options{})
	_, err := half.RunAlloc(list(tensor.Zeros(tensor.Float16, 2)))
	wantError(t, err, nil, "float16", "dynamic")
}

func TestRunWithoutInputs(t *testing.T) {
	g := graph{
		nodes: []node{{op: "Identity", name: "id", in: []string{"w"}, out: []string{"y"}}},
		out:   []value{f32("y", 2)},
	}
	want := tensor.Vector[float32](3, 4)
	g.weight("w", want)
	out, err := open(t, g.model(17), ort.Options{}).RunAlloc(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !tensor.Equal(want, out[0]) {
		t.Errorf("expected %v, found %v", want, out[0])
	}
}

func TestRunMismatch(t *testing.T) {
	s := open(t, plusOne(tensor.Float32, 2, 3), ort.Options{})
	good := tensor.Zeros(tensor.Float32, 2, 3)
	for _, c := range []struct {
		in, out []*tensor.Tensor
		parts   []string
	}{
		{nil, list(good), []string{"expected 1 inputs, found 0"}},
		{list(good), nil, []string{"expected 1 outputs, found 0"}},
		{list(nil), list(good), []string{"input x", "found nil"}},
		{list(good), list(nil), []string{"output y", "found nil"}},
		{list(tensor.Zeros(tensor.Float32, 3, 2)), list(good), []string{"input x", "expected shape [2 3], found [3 2]"}},
		{list(tensor.Zeros(tensor.Float32, 6)), list(good), []string{"input x", "found [6]"}},
		{list(tensor.Zeros(tensor.Float64, 2, 3)), list(good), []string{"input x", "expected float32, found float64"}},
		{list(good), list(tensor.Zeros(tensor.Float32, 2, 2)), []string{"output y", "found [2 2]"}},
		{list(good), list(&tensor.Tensor{Shape: []int64{2, 3}, Data: []float32{1}}), []string{"output y", "needs 6 elements, found 1"}},
		{list(&tensor.Tensor{Shape: []int64{2, 3}, Data: "x"}), list(good), []string{"input x"}},
	} {
		wantError(t, s.Run(c.in, c.out), nil, c.parts...)
	}
}

func TestRunErrorFromONNXRuntime(t *testing.T) {
	s := open(t, gather(), ort.Options{})
	y := tensor.Zeros(tensor.Float32, 1)
	err := s.Run(list(tensor.Vector[int64](99)), list(y))
	wantError(t, err, nil, "pick")
	if err := s.Run(list(tensor.Vector[int64](1)), list(y)); err != nil || y.Float32s()[0] != 20 {
		t.Errorf("expected 20 after the error, found %v, %v", y.Float32s()[0], err)
	}
}

func TestRunConcurrently(t *testing.T) {
	s := open(t, plusOne(tensor.Float32, 64), ort.Options{})
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for g := range errs {
		wg.Go(func() {
			for i := range 50 {
				x, y := tensor.Zeros(tensor.Float32, 64), tensor.Zeros(tensor.Float32, 64)
				x.Float32s()[7] = float32(g*100 + i)
				if err := s.Run(list(x), list(y)); err != nil {
					errs[g] = err
					return
				}
				if got := y.Float32s()[7]; got != float32(g*100+i+1) {
					errs[g] = fmt.Errorf("expected %d, found %v", g*100+i+1, got)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

func TestCloseWhileRunning(t *testing.T) {
	s := open(t, plusOne(tensor.Float32, 64), ort.Options{})
	var wg sync.WaitGroup
	started := make(chan struct{}, 4)
	for range 4 {
		wg.Go(func() {
			x, y := tensor.Zeros(tensor.Float32, 64), tensor.Zeros(tensor.Float32, 64)
			for i := 0; ; i++ {
				if err := s.Run(list(x), list(y)); err != nil {
					if !errors.Is(err, ort.ErrClosed) {
						t.Error(err)
					}
					return
				}
				if i == 0 {
					started <- struct{}{}
				}
			}
		})
	}
	for range 4 {
		<-started
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	_, err := s.RunAlloc(list(tensor.Zeros(tensor.Float32, 64)))
	wantError(t, err, ort.ErrClosed)
}

func TestNewSessionErrors(t *testing.T) {
	orttest.Open(t)
	good := plusOne(tensor.Float32, 2)
	foreign := graph{
		nodes: []node{{op: "NoSuchOperator", name: "odd", in: []string{"x"}, out: []string{"y"}}},
		in:    []value{f32("x", 2)}, out: []value{f32("y", 2)},
	}.model(17)
	for _, c := range []struct {
		name  string
		model []byte
		o     ort.Options
		kind  error
		parts []string
	}{
		{"empty", nil, ort.Options{}, nil, []string{"not an ONNX model"}},
		{"text", []byte("hello, this is not a model"), ort.Options{}, nil, []string{"not an ONNX model"}},
		{"cut", good[:len(good)-5], ort.Options{}, nil, []string{"not an ONNX model"}},
		{"operator", foreign, ort.Options{}, nil, []string{"NoSuchOperator"}},
		{"no outputs", graph{}.model(17), ort.Options{}, nil, []string{"no outputs"}},
		{"threads", good, ort.Options{Threads: -1}, nil, []string{"threads", "-1"}},
		{"device", good, ort.Options{Device: -1}, nil, []string{"device", "-1"}},
		{"level", good, ort.Options{Optimize: 9}, nil, []string{"level 9"}},
		{"memory", good, ort.Options{MemoryLimit: 1}, nil, []string{"memory limit", "cpu"}},
		{"unknown provider", good, ort.Options{Provider: "abacus"}, ort.ErrNoProvider, []string{"abacus", "cuda", "cpu"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ort.NewSession(c.model, c.o)
			wantError(t, err, c.kind, c.parts...)
		})
	}
}

func TestOptions(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "trace")
	s := open(t, plusOne(tensor.Float32, 2), ort.Options{
		Provider: "CPU", Threads: 1, Optimize: ort.LevelOff, Profile: prefix,
		Config: map[string]string{"session.intra_op.allow_spinning": "0"},
	})
	if s.Provider() != "cpu" {
		t.Errorf("expected provider cpu, found %s", s.Provider())
	}
	if _, err := s.RunAlloc(list(tensor.Zeros(tensor.Float32, 2))); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	traces, _ := filepath.Glob(prefix + "*.json")
	if len(traces) != 1 {
		t.Fatalf("expected one trace, found %v", traces)
	}
	trace, err := os.ReadFile(traces[0])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(trace), "CPUExecutionProvider") {
		t.Error("expected CPUExecutionProvider in the trace")
	}
}

func TestMissingProvider(t *testing.T) {
	l := orttest.Open(t)
	for _, p := range l.Providers() {
		if p.Name == "cpu" && !p.Available() {
			t.Errorf("cpu: %s", p.Problem)
		}
		if p.Available() {
			continue
		}
		_, err := ort.NewSession(plusOne(tensor.Float32, 2), ort.Options{Provider: p.Name})
		wantError(t, err, ort.ErrNoProvider, string(p.Name), l.Path(), "offers [", "cpu")
	}
	if !slices.IsSorted(ort.ProviderNames()) {
		t.Errorf("expected sorted names, found %v", ort.ProviderNames())
	}
}
