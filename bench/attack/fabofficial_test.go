package attack

import (
	"math"
	"slices"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/tensor"
	"rnas/runtime/ort/orttest"
)

// fabnet is the network of testdata/fab.py.
func fabnet(t *testing.T, f map[string]*tensor.Tensor) program.Classifier {
	t.Helper()
	b := op.NewB("fabnet")
	y := b.Relu(b.Conv(b.Input("input", ir.Float32, -1, 3, size, size), b.NamedConst("a", f["conv.a"]), nil, op.Same(3, 1, 1)))
	y = b.Relu(b.Conv(y, b.NamedConst("b", f["conv.b"]), nil, op.Same(3, 2, 1)))
	b.Output("logits", b.Gemm(b.Flatten(y), b.NamedConst("out", f["out"]), nil, false, true))
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	c, err := program.NewClassifier(g)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestFABOfficial compares the successes at several radii with the distances that the code of AutoAttack finds: they are the
// same, so that the distances agree, up to fabApart for those that are that close to a radius.
func TestFABOfficial(t *testing.T) {
	const fabApart = 0.02
	orttest.Open(t)
	f := fixture(t)
	c := fabnet(t, f)
	n, k := int(f["ranked"].Shape[0]), int(f["ranked"].Shape[1])
	for norm := range descend {
		for _, kind := range []string{"targeted", "untargeted"} {
			distances := f[kind+"."+norm].Float64s()
			sorted := slices.Sorted(slices.Values(distances))
			for _, quantile := range []float64{0.15, 0.4, 0.65, 0.9} {
				i := int(quantile * float64(len(sorted)))
				eps := math.Sqrt(sorted[i] * sorted[i-1])
				m := fab{targeted: kind == "targeted"}.method()
				p, err := m.Program(c, len(distances), Settings{Norm: norm, Epsilon: eps})
				if err != nil {
					t.Fatal(err)
				}
				r := launched(t, p)
				elems := len(f["images"].Float32s()) / n
				for row := range distances {
					image := row / (len(distances) / n)
					part(r.Input("images"), row, f["images"].Float32s()[image*elems:(image+1)*elems])
					part(r.Input("labels"), row, f["labels"].Int64s()[image:image+1])
					if kind == "targeted" {
						part(r.Input("targets"), row, f["ranked"].Int64s()[image*k+1+row%(k-1):][:1])
					}
				}
				if err := r.Step(); err != nil {
					t.Fatal(err)
				}
				clear := 0
				for row, d := range distances {
					if math.Abs(d/eps-1) < fabApart {
						continue
					}
					clear++
					if found := r.Output("found").Float32s()[row] > 0.5; found != (d <= eps) {
						t.Errorf("%s %s, row %d: distance %v, radius %v, found is %v", kind, norm, row, d, eps, found)
					}
				}
				if clear < len(distances)*2/3 {
					t.Errorf("%s %s, radius %v: only %d of %d rows tell", kind, norm, eps, clear, len(distances))
				}
			}
		}
	}
}
