package runtime_test

import (
	"testing"

	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/runtimetest"
)

func open(t testing.TB, model []byte, o runtime.Options) *runtime.Session {
	t.Helper()
	runtimetest.Open(t)
	s, err := runtime.NewSession(model, o)
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

func TestRunEveryType(t *testing.T) {
	for _, d := range []tensor.DType{
		tensor.Float32, tensor.Float64, tensor.Float16, tensor.BFloat16, tensor.Int8, tensor.Int16, tensor.Int32, tensor.Int64,
		tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64, tensor.Bool,
	} {
		t.Run(d.String(), func(t *testing.T) {
			s := open(t, copier(value{name: "x", dtype: d, shape: []int64{2, 3}}), runtime.Options{})
			x := tensor.FromFloat64s(d, []int64{2, 3}, []float64{1, 0, 2, 3, 0, 5})
			y := tensor.Zeros(d, 2, 3)
			if err := s.Run([]*tensor.Tensor{x}, []*tensor.Tensor{y}); err != nil {
				t.Fatal(err)
			}
			if !tensor.Equal(x, y) {
				t.Errorf("expected %v, found %v", x.Data, y.Data)
			}
		})
	}
}
