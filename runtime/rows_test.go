package runtime_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/carry"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

func TestLanesOf(t *testing.T) {
	for _, c := range []struct{ batch, side, threads, want int }{
		{32, 32, 2, 8},
		{32, 32, 1, 8},
		{8, 32, 2, 2},
		{8, 32, 3, 1},
		{7, 32, 1, 1},
		{7, 32, 2, 1},
		{30, 32, 2, 6},
		{22, 32, 2, 2},
		{2, 32, 2, 1},
		{64, 32, 16, 16},
		{64, 32, 0, 16},
		{64, 16, 2, 4},
		{64, 24, 2, 8},
		{8, 64, 2, 8},
		{8, 224, 2, 8},
		{1, 224, 2, 1},
		{8, 0, 2, 1},
	} {
		if got := runtime.LanesOf(c.batch, c.side*c.side, c.threads); got != c.want {
			t.Errorf("%+v: found %d groups", c, got)
		}
	}
}

// TestLaunchRows evaluates a network and its input gradient over a state in groups of rows, with several numbers of threads, and
// compares that with the whole batch at once.
func TestLaunchRows(t *testing.T) {
	orttest.Open(t)
	z, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	net := lower.Evaluation{Genotype: z.Genotype, Macro: lower.Macro{Channels: 8, Layers: 3, Classes: 10, Height: 16, Width: 16, Depth: 3}}
	l, err := program.NewLayout(net)
	if err != nil {
		t.Fatal(err)
	}
	params, stats := l.Init(1)
	st := orttest.Store(t, map[string]*tensor.Tensor{"params": tensor.Vector(params...), "stats": tensor.Vector(stats...)}, "params", "stats")
	const batch = 24
	run := func(r *runtime.Running, err error) (logits, loss []float32) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		s := rng.New(5, rng.Probe, 0, 0, 0)
		s.FillUniform(r.Input("images").Float32s(), 0, 1)
		for i := range r.Input("labels").Int64s() {
			r.Input("labels").Int64s()[i] = int64(i % 10)
		}
		for range 2 {
			if err := r.Step(); err != nil {
				t.Fatal(err)
			}
		}
		return r.Output("logits").Float32s(), r.Output("loss").Float32s()
	}
	p, err := program.Eval(net, l, batch)
	if err != nil {
		t.Fatal(err)
	}
	logits, loss := run(runtime.Launch(p, st, ort.Options{Threads: 2}))
	var first []float32
	for _, threads := range []int{1, 2, 3, 16} {
		var rows []int
		got, gotLoss := run(runtime.LaunchRows(batch, 32*32, st, ort.Options{Threads: threads}, func(n int) (*program.Program, error) {
			rows = append(rows, n)
			return program.Eval(net, l, n)
		}))
		if want := []int{4}; threads < 16 && !slices.Equal(rows, want) {
			t.Errorf("%d threads: compiled for %v rows, expected %v", threads, rows, want)
		}
		for i, v := range append(slices.Clone(logits), loss...) {
			if d := v - append(slices.Clone(got), gotLoss...)[i]; d > 1e-5 || d < -1e-5 {
				t.Fatalf("%d threads: value %d differs by %g", threads, i, d)
			}
		}
		if first == nil {
			first = got
		}
		if !slices.Equal(first, got) {
			t.Errorf("%d threads: logits differ from those of one thread", threads)
		}
	}
}

func TestLaunchRowsErrors(t *testing.T) {
	orttest.Open(t)
	refuse := func(rows int) (*program.Program, error) {
		b := op.NewB("sum")
		x := b.Input("x", ir.Float32, int64(rows))
		b.Output("y", b.Node("ReduceSum", ir.Attrs{"keepdims": int64(0)}, 1, x)[0])
		return program.Finish(b)
	}
	st := ort.NewStore()
	defer st.Close()
	_, err := runtime.LaunchRows(8, 32*32, st, ort.Options{Threads: 2}, refuse)
	wantError(t, err, "output y", "expected rows")
	if err := st.Add("x", tensor.Zeros(tensor.Float32, 4)); err != nil {
		t.Fatal(err)
	}
	write := func(rows int) (*program.Program, error) {
		b := op.NewB("count")
		b.Output("x.next", b.Scale(b.Input("x", ir.Float32, int64(rows)), 2))
		return program.Finish(b, carry.Binding{State: "x", In: "x", Out: "x.next"})
	}
	_, err = runtime.LaunchRows(8, 32*32, st, ort.Options{Threads: 2}, write)
	wantError(t, err, "state x", "written", "2 groups of rows")
	broken := fmt.Errorf("no such network")
	if _, err := runtime.LaunchRows(8, 32*32, st, ort.Options{}, func(int) (*program.Program, error) { return nil, broken }); err != broken {
		t.Errorf("expected %v, found %v", broken, err)
	}
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("expected an error with %q, found %v", part, err)
		}
	}
}
