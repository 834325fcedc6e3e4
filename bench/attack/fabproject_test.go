package attack

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/npy"
	"rnas/internal/rng"
	"rnas/internal/tensor"
	"rnas/runtime"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// fixture is what the code of AutoAttack computed, see testdata/fab.py.
func fixture(t *testing.T) map[string]*tensor.Tensor {
	t.Helper()
	arrays, err := npy.ReadNPZ("testdata/fab.npz")
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*tensor.Tensor{}
	for _, a := range arrays {
		byName[a.Name] = a.Tensor
	}
	return byName
}

// projector is the graph of a projection of points [n,3,h,h].
func projector(t testing.TB, norm string, n, h int64) *program.Program {
	t.Helper()
	b := op.NewB("project")
	x, w := b.Input("x", ir.Float32, n, 3, h, h), b.Input("w", ir.Float32, n, 3, h, h)
	b.Output("d", descend[norm](b, x, w, b.Input("c", ir.Float32, n, 1, 1, 1)))
	p, err := program.Finish(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// launched is a program without state, ready to run.
func launched(t testing.TB, p *program.Program) *runtime.Running {
	t.Helper()
	r, err := runtime.Launch(p, ort.NewStore(), ort.Options{Provider: "cpu", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// projectByHand is the shortest displacement d of a point x in the box to where <w,d>+c = 0, by filling pixel after pixel in
// the order in which they come to their ends.
func projectByHand(norm string, x, w []float64, c float64) []float64 {
	sign := 1.0
	if c < 0 {
		sign = -1
	}
	c *= sign
	d, room, at := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
	var order []int
	rate := 0.0 // at which the function falls as the level rises
	size := func(i int) float64 { return math.Abs(w[i]) }
	speed := func(i int) float64 { // of a pixel
		if norm == "linf" {
			return 1
		}
		return size(i)
	}
	for i := range x {
		if size(i) == 0 || norm != "linf" && size(i) <= 1e-8 {
			continue
		}
		room[i] = x[i]
		if sign*w[i] < 0 {
			room[i] = 1 - x[i]
		}
		if at[i] = room[i] / speed(i); norm == "l1" {
			at[i] = -size(i)
		}
		order = append(order, i)
		rate += size(i) * speed(i)
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(at[i], at[j]) })
	move := func(i int, by float64) { d[i] = -math.Copysign(by, sign*w[i]) }
	filled := 0.0 // what falls by pixels at their ends
	for k, i := range order {
		full := size(i) * room[i]
		if norm == "l1" {
			if filled+full >= c {
				move(i, (c-filled)/size(i))
				return d
			}
		} else if filled+rate*at[i] >= c {
			level := (c - filled) / rate
			for _, j := range order[k:] {
				move(j, level*speed(j))
			}
			return d
		}
		move(i, room[i])
		filled += full
		rate -= size(i) * speed(i)
	}
	return d
}

func apart(got *tensor.Tensor, want []float64) float64 {
	largest := 0.0
	for i, w := range want {
		largest = max(largest, math.Abs(got.Float64At(i)-w))
	}
	return largest
}

// TestProjectOfficial compares with the projections of AutoAttack in float64.
func TestProjectOfficial(t *testing.T) {
	f := fixture(t)
	n := f["plane.x"].Shape[0]
	c := f["plane.c"].Float32s()
	for norm := range descend {
		p := projector(t, norm, n, 4)
		out, err := interp.Run(p.Graph, map[string]*tensor.Tensor{
			"x": f["plane.x"], "w": f["plane.w"], "c": tensor.Of([]int64{n, 1, 1, 1}, c...),
		})
		if err != nil {
			t.Fatal(err)
		}
		want := f["plane."+norm].Float64s()
		if d := apart(out["d"], want); d > 1e-9 {
			t.Errorf("%s: differs by %v", norm, d)
		}
	}
}

// planesOf draws points, coefficients over several orders of magnitude and function values.
func planesOf(n, elems int, spread float64) (x, w []float32, c []float32) {
	s := rng.New(5, rng.Synthetic, 0, 0, 0)
	x, w, c = make([]float32, n*elems), make([]float32, n*elems), make([]float32, n)
	for i := range x {
		x[i] = float32(max(0, min(1, 1.4*s.Float64()-0.2)))
		w[i] = float32((2*s.Float64() - 1) * math.Exp(spread*(2*s.Float64()-1)))
	}
	for i := range c {
		reach := sizeL1(w[i*elems:(i+1)*elems], make([]float32, elems))
		c[i] = float32(reach * (s.Float64() - 0.5) * math.Pow(10, -4*s.Float64()))
	}
	return x, w, c
}

// TestProject compares the graphs in ONNX Runtime with projections by sorting, for 3072 pixels: in float32, the solution moves by
// the rounding of the sums, and so do its length and how far it is from the plane.
func TestProject(t *testing.T) {
	orttest.Open(t)
	const n, side, elems = 12, 32, 3 * 32 * 32
	for norm := range descend {
		for _, spread := range []float64{0, 3, 8} {
			x, w, c := planesOf(n, elems, spread)
			r := launched(t, projector(t, norm, n, side))
			copy(r.Input("x").Float32s(), x)
			copy(r.Input("w").Float32s(), w)
			copy(r.Input("c").Float32s(), c)
			if err := r.Step(); err != nil {
				t.Fatal(err)
			}
			d := r.Output("d").Float32s()
			for i := range n {
				row := func(v []float32) []float64 {
					y := make([]float64, elems)
					for j := range y {
						y[j] = float64(v[i*elems+j])
					}
					return y
				}
				want := projectByHand(norm, row(x), row(w), float64(c[i]))
				got, zero := row(d), make([]float32, elems)
				largest, worst := sizeLinf(narrow(want), zero), 0.0
				for j := range want {
					worst = max(worst, math.Abs(got[j]-want[j]))
				}
				length, shortest := norms[norm].size(narrow(got), zero), norms[norm].size(narrow(want), zero)
				if norm != "l1" && worst > 2e-6*largest+1e-7 || math.Abs(length-shortest) > 3e-6*shortest {
					t.Errorf("%s, spread %v, point %d: differs by %v of %v, length %v instead of %v", norm, spread, i, worst, largest, length, shortest)
				}
			}
		}
	}
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i := range v {
		out[i] = float32(v[i])
	}
	return out
}

// BenchmarkProject has the cost of projecting 64 points of 3072 pixels on one thread.
func BenchmarkProject(b *testing.B) {
	orttest.Open(b)
	const n, side, elems = 64, 32, 3 * 32 * 32
	x, w, c := planesOf(n, elems, 3)
	for norm := range descend {
		r := launched(b, projector(b, norm, n, side))
		copy(r.Input("x").Float32s(), x)
		copy(r.Input("w").Float32s(), w)
		copy(r.Input("c").Float32s(), c)
		b.Run(norm, func(b *testing.B) {
			for b.Loop() {
				if err := r.Step(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
