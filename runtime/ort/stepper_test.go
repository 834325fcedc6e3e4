package ort_test

import (
	"fmt"
	"testing"

	"rnas/internal/carry"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

func newStepper(t testing.TB, s *ort.Session, st *ort.Store, states ...carry.Binding) *ort.Stepper {
	t.Helper()
	p, err := ort.NewStepper(s, st, states)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func values(n int, v float32) *tensor.Tensor {
	t := tensor.Zeros(tensor.Float32, int64(n))
	for i := range t.Float32s() {
		t.Float32s()[i] = v
	}
	return t
}

func TestStepCarriesState(t *testing.T) {
	s := open(t, counter(4), ort.Options{})
	first := values(4, 1)
	st := orttest.Store(t, map[string]*tensor.Tensor{"params": first}, "params")
	if st.Get("params") != first {
		t.Error("expected the added tensor itself as the current value")
	}
	p := newStepper(t, s, st, carry.Binding{In: "params", Out: "params_next", State: "params"})
	copy(p.Input("grad").Float32s(), []float32{1, 2, 3, 4})
	for step := 1; step <= 5; step++ {
		p.Input("rate").Float32s()[0] = float32(step)
		if err := p.Step(); err != nil {
			t.Fatal(err)
		}
		scale := float32(step*(step+1)) / 2 // 1 + 2 + ... + step
		want := tensor.Vector(1+scale, 1+2*scale, 1+3*scale, 1+4*scale)
		if got := st.Get("params"); !tensor.Equal(want, got) {
			t.Fatalf("step %d: expected %v, found %v", step, want, got)
		}
		if got := p.Output("sum").Float32s()[0]; got != 4+10*scale {
			t.Fatalf("step %d: expected sum %v, found %v", step, 4+10*scale, got)
		}
	}
	if p.Input("params") != nil || p.Output("params_next") != nil || p.Input("nothing") != nil {
		t.Error("expected no buffer for carried or unknown names")
	}
	if err := st.Set("params", values(4, 0)); err != nil {
		t.Fatal(err)
	}
	p.Input("rate").Float32s()[0] = 1
	if err := p.Step(); err != nil {
		t.Fatal(err)
	}
	if want, got := tensor.Vector[float32](1, 2, 3, 4), st.Get("params"); !tensor.Equal(want, got) {
		t.Errorf("after Set: expected %v, found %v", want, got)
	}
}

// Two programs share the state: one reads a and writes b from it, the other the reverse, each with its own parity.
func TestStepSharedState(t *testing.T) {
	s := open(t, counter(3), ort.Options{})
	st := orttest.Store(t, map[string]*tensor.Tensor{"a": values(3, 1), "b": values(3, 100)}, "a", "b")
	toB := newStepper(t, s, st, carry.Binding{In: "params", State: "a"}, carry.Binding{Out: "params_next", State: "b"})
	onA := newStepper(t, s, st, carry.Binding{In: "params", Out: "params_next", State: "a"}, carry.Binding{In: "grad", State: "b"})
	copy(toB.Input("grad").Float32s(), []float32{1, 1, 1})
	toB.Input("rate").Float32s()[0] = 1
	onA.Input("rate").Float32s()[0] = 1
	a, b := float32(1), float32(100)
	for _, which := range []int{0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 1} {
		var err error
		if which == 0 {
			err, b = toB.Step(), a+1
		} else {
			err, a = onA.Step(), a+b
		}
		if err != nil {
			t.Fatal(err)
		}
		if !tensor.Equal(values(3, a), st.Get("a")) || !tensor.Equal(values(3, b), st.Get("b")) {
			t.Fatalf("expected a %v, b %v, found %v, %v", a, b, st.Get("a"), st.Get("b"))
		}
	}
	if got := fmt.Sprint(st.Names()); got != "[a b]" {
		t.Errorf("expected [a b], found %s", got)
	}
}

func TestStepCarriesScalar(t *testing.T) {
	s := open(t, plusOne(tensor.Int64), ort.Options{})
	st := orttest.Store(t, map[string]*tensor.Tensor{"n": tensor.Scalar[int64](5)}, "n")
	p := newStepper(t, s, st, carry.Binding{In: "x", Out: "y", State: "n"})
	for want := int64(6); want < 10; want++ {
		if err := p.Step(); err != nil {
			t.Fatal(err)
		}
		if got := st.Get("n").Int64s()[0]; got != want {
			t.Fatalf("expected %d, found %d", want, got)
		}
	}
}

func TestStepErrorKeepsState(t *testing.T) {
	s := open(t, gather(), ort.Options{})
	st := orttest.Store(t, map[string]*tensor.Tensor{"y": tensor.Vector[float32](-1)}, "y")
	p := newStepper(t, s, st, carry.Binding{Out: "y", State: "y"})
	step := func(i int64, want float32) error {
		p.Input("i").Int64s()[0] = i
		err := p.Step()
		if got := st.Get("y").Float32s()[0]; got != want {
			t.Errorf("index %d: expected %v, found %v", i, want, got)
		}
		return err
	}
	wantError(t, step(7, -1), nil, "pick")
	if err := step(2, 30); err != nil {
		t.Error(err)
	}
	wantError(t, step(7, 30), nil, "pick")
}

func TestStepperErrors(t *testing.T) {
	s := open(t, counter(4), ort.Options{})
	dynamic := open(t, copier(f32("x", -1)), ort.Options{})
	st := orttest.Store(t, map[string]*tensor.Tensor{"p": values(4, 0), "q": values(5, 0), "h": tensor.Scalar(tensor.Half(0))}, "p", "q", "h")
	for _, c := range []struct {
		session *ort.Session
		carry   []carry.Binding
		parts   []string
	}{
		{s, []carry.Binding{{In: "params", State: "zzz"}}, []string{"zzz", `"p" "q"`}},
		{s, []carry.Binding{{In: "weights", State: "p"}}, []string{"input weights", "params"}},
		{s, []carry.Binding{{Out: "weights", State: "p"}}, []string{"output weights", "params_next"}},
		{s, []carry.Binding{{In: "params", State: "q"}}, []string{"input params", "expected shape [4], found [5]"}},
		{s, []carry.Binding{{State: "p"}}, []string{"state p", "neither"}},
		{s, []carry.Binding{{In: "params", State: "p"}, {In: "params", State: "p"}}, []string{"input params", "twice"}},
		{s, []carry.Binding{{Out: "params_next", State: "p"}, {Out: "sum", State: "p"}}, []string{"state p", "two outputs"}},
		{s, []carry.Binding{{In: "params", State: "h"}}, []string{"float16"}},
		{dynamic, nil, []string{"input x float32[-1]", "static"}},
	} {
		_, err := ort.NewStepper(c.session, st, c.carry)
		wantError(t, err, nil, c.parts...)
	}
	wantError(t, st.Add("p", values(1, 0)), nil, "state p")
	wantError(t, st.Add("n", nil), nil, "state n")
	wantError(t, st.Add("n", &tensor.Tensor{Shape: []int64{3}, Data: []float32{1}}), nil, "needs 3 elements, found 1")
	wantError(t, st.Set("n", values(1, 0)), nil, "state n", "unknown")
	wantError(t, st.Set("p", values(5, 0)), nil, "expected shape [4], found [5]")
	if st.Get("n") != nil {
		t.Error("expected nil for an unknown name")
	}
}

func TestStepperClose(t *testing.T) {
	s := open(t, counter(4), ort.Options{})
	st := orttest.Store(t, map[string]*tensor.Tensor{"p": values(4, 2)}, "p")
	carry := carry.Binding{In: "params", Out: "params_next", State: "p"}
	a, b, c := newStepper(t, s, st, carry), newStepper(t, s, st, carry), newStepper(t, s, st, carry)
	for range 2 {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	wantError(t, a.Step(), ort.ErrClosed, "stepper")
	if err := b.Step(); err != nil {
		t.Error(err)
	}
	s.Close()
	wantError(t, b.Step(), ort.ErrClosed, "session")
	for range 2 {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
	wantError(t, c.Step(), ort.ErrClosed, "state")
	wantError(t, st.Add("x", values(1, 0)), ort.ErrClosed)
	wantError(t, st.Set("p", values(4, 0)), ort.ErrClosed)
	_, err := ort.NewStepper(s, st, nil)
	wantError(t, err, ort.ErrClosed)
	if !tensor.Equal(values(4, 2), st.Get("p")) {
		t.Errorf("expected the state to stay readable, found %v", st.Get("p"))
	}
}

func BenchmarkStep(b *testing.B) {
	s := open(b, counter(1), ort.Options{Threads: 1})
	st := orttest.Store(b, map[string]*tensor.Tensor{"p": values(1, 0)}, "p")
	p := newStepper(b, s, st, carry.Binding{In: "params", Out: "params_next", State: "p"})
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Step(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStepOneNode(b *testing.B) {
	s := open(b, plusOne(tensor.Float32, 1), ort.Options{Threads: 1})
	st := orttest.Store(b, map[string]*tensor.Tensor{"p": values(1, 0)}, "p")
	p := newStepper(b, s, st, carry.Binding{In: "x", Out: "y", State: "p"})
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Step(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRunOneNode(b *testing.B) {
	s := open(b, plusOne(tensor.Float32, 1), ort.Options{Threads: 1})
	in, out := list(values(1, 0)), list(values(1, 0))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Run(in, out); err != nil {
			b.Fatal(err)
		}
	}
}
