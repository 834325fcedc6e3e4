package ort_test

import (
	"slices"
	"testing"

	"rnas/internal/tensor"
	"rnas/runtime/ort"
)

// A group of rows that fails makes the step fail.
func TestLanesError(t *testing.T) {
	s := open(t, gather(), ort.Options{Threads: 1})
	st := ort.NewStore()
	defer st.Close()
	p, err := ort.NewLaneStepper(s, st, nil, 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	copy(p.Input("i").Int64s(), []int64{1, 7, 2})
	wantError(t, p.Step(), nil, "pick")
	copy(p.Input("i").Int64s(), []int64{1, 0, 2})
	for range 3 {
		if err := p.Step(); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := p.Output("y").Float32s(), []float32{20, 10, 30}; !slices.Equal(got, want) {
		t.Errorf("expected %v, found %v", want, got)
	}
}

func BenchmarkStepLanes(b *testing.B) {
	s := open(b, plusOne(tensor.Float32, 1), ort.Options{Threads: 1})
	st := ort.NewStore()
	defer st.Close()
	p, err := ort.NewLaneStepper(s, st, nil, 8, 2)
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Step(); err != nil {
			b.Fatal(err)
		}
	}
}
