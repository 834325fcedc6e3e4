package program_test

import (
	"math"
	"slices"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/tensor"
)

// losses are the definitions, by sorting; the last one is targeted at class t.
var losses = map[string]func(z []float64, y, t int) float64{
	"ce": func(z []float64, y, _ int) float64 {
		sum := 0.0
		for _, v := range z {
			sum += math.Exp(v - z[y])
		}
		return math.Log(sum)
	},
	"margin": func(z []float64, y, _ int) float64 {
		other := math.Inf(-1)
		for k, v := range z {
			if k != y {
				other = max(other, v)
			}
		}
		return other - z[y]
	},
	"dlr": func(z []float64, y, _ int) float64 {
		s := falling(z)
		other := s[0]
		if z[y] == s[0] {
			other = s[1]
		}
		return -(z[y] - other) / (s[0] - s[2] + 1e-12)
	},
	"targeted dlr": func(z []float64, y, t int) float64 {
		s := falling(z)
		return -(z[y] - z[t]) / (s[0] - (s[2]+s[3])/2 + 1e-12)
	},
}

func falling(z []float64) []float64 {
	s := slices.Sorted(slices.Values(z))
	slices.Reverse(s)
	return s
}

// Losses are their definitions, and their gradients those by finite differences.
func TestCriteria(t *testing.T) {
	rows := program.Criteria()
	rows = append(rows, program.Criterion{Name: "targeted dlr", Classes: 4, Of: func(b op.B, logits, labels *ir.Value) *ir.Value {
		return program.TargetedDLR(b, logits, labels, b.Input("targets", ir.Int64, labels.Shape...))
	}})
	z := [][]float64{{1, 4, 2, -3, 0.5}, {5, 1, 0, 2, 2.5}, {-1, -2, -3, -4, -5}, {0.1, 0.2, 0.3, 0.4, 0.5}}
	labels, targets := []int64{1, 1, 4, 0}, []int64{0, 2, 0, 4}
	for _, c := range rows {
		b := op.NewB(c.Name)
		logits := b.Input("logits", ir.Float64, ir.N, 5)
		b.Output("loss", c.Of(b, logits, b.Input("labels", ir.Int64, ir.N)))
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		in := map[string]*tensor.Tensor{
			"logits": tensor.Of([]int64{4, 5}, slices.Concat(z...)...), "labels": tensor.Vector(labels...),
		}
		if c.Name == "targeted dlr" {
			in["targets"] = tensor.Vector(targets...)
		}
		out := interpret(t, g, in)["loss"]
		if !slices.Equal(out.Shape, []int64{4}) {
			t.Fatalf("%s: loss has shape %v", c.Name, out.Shape)
		}
		for i, row := range z {
			if want := losses[c.Name](row, int(labels[i]), int(targets[i])); math.Abs(out.Float64At(i)-want) > 1e-12 {
				t.Errorf("%s of row %d: expected %v, found %v", c.Name, i, want, out.Float64At(i))
			}
		}
	}
	for _, name := range []string{"ce", "margin", "dlr"} {
		b := op.NewB(name)
		b.Output("z", b.Neg(b.Input("logits", ir.Float64, ir.N, 5, 1, 1)))
		g, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		if err := (program.Derivative{Loss: name}).Append(g); err != nil {
			t.Fatal(err)
		}
		out := interpret(t, g, map[string]*tensor.Tensor{
			"logits": scaled(tensor.Of([]int64{4, 5, 1, 1}, slices.Concat(z...)...), -1), "labels": tensor.Vector(labels...),
		})
		for i, row := range z {
			for k := range row {
				const h = 1e-6
				at := func(d float64) float64 {
					moved := slices.Clone(row)
					moved[k] += d
					return losses[name](moved, int(labels[i]), 0)
				}
				want := -(at(h) - at(-h)) / (2 * h)
				if got := out["grad.logits"].Float64At(5*i + k); math.Abs(got-want) > 1e-6 {
					t.Errorf("%s: derivative of row %d by logit %d: expected %v, found %v", name, i, k, want, got)
				}
			}
		}
	}
}
