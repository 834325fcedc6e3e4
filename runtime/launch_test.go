//go:build cgo

package runtime_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/carry"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// affine is the program s = factor*s + shift of a state.
func affine(state string, factor, shift float64) func() (*program.Program, error) {
	return func() (*program.Program, error) {
		b := op.NewB("affine")
		in := b.Input("s", ir.Float32, 3)
		b.Output("s.next", b.Add(b.Scale(in, factor), b.Float(in, shift)))
		return program.Finish(b, carry.Binding{State: state, In: "s", Out: "s.next"})
	}
}

func TestLaunchAll(t *testing.T) {
	orttest.Open(t)
	st := ort.NewStore()
	defer st.Close()
	if err := st.Add("s", tensor.Vector[float32](1, 2, 3)); err != nil {
		t.Fatal(err)
	}
	all, err := runtime.LaunchAll(st, ort.Options{Threads: 1}, affine("s", 2, 0), affine("s", 1, 5), affine("s", -1, 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if err := r.Step(); err != nil {
			t.Fatal(err)
		}
	}
	if got := st.Get("s").Float32s(); !slices.Equal(got, []float32{-6, -8, -10}) {
		t.Errorf("found %v", got)
	}
	for _, r := range all {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestLaunchAllErrors(t *testing.T) {
	orttest.Open(t)
	st := ort.NewStore()
	defer st.Close()
	if err := st.Add("s", tensor.Vector[float32](1, 2, 3)); err != nil {
		t.Fatal(err)
	}
	failing := func(text string) func() (*program.Program, error) {
		return func() (*program.Program, error) { return nil, errors.New(text) }
	}
	for _, c := range []struct {
		compile []func() (*program.Program, error)
		want    string
	}{
		{[]func() (*program.Program, error){affine("s", 1, 1), failing("first"), failing("second")}, "first"},
		{[]func() (*program.Program, error){affine("r", 1, 1), failing("later")}, "affine: state r: unknown"},
		{[]func() (*program.Program, error){failing("alone"), affine("s", 1, 1)}, "alone"},
	} {
		if all, err := runtime.LaunchAll(st, ort.Options{}, c.compile...); err == nil || !strings.Contains(err.Error(), c.want) || all != nil {
			t.Errorf("expected %q, found %v, %v", c.want, all, err)
		}
	}
}
