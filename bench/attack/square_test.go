package attack

import (
	"math"
	"slices"
	"testing"

	"rnas/compiler/interp"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// TestSquareSides has the sides that the code of AutoAttack uses for 32 by 32 pixels.
func TestSquareSides(t *testing.T) {
	queries := []int{0, 11, 51, 201, 501, 1001, 2001, 4001, 6001, 8001}
	for norm, want := range map[string][]int{
		"linf": {29, 20, 14, 10, 7, 5, 4, 3, 2, 1},
		"l2":   {29, 21, 15, 11, 7, 5, 5, 3, 3, 3},
	} {
		for i, q := range queries {
			if got := squareSide(q, 32, 32, norm); got != want[i] {
				t.Errorf("%s, query %d: expected %d, found %d", norm, q, want[i], got)
			}
		}
	}
}

// TestPyramids has a pattern worked out by hand: 1 + 1/4 in the middle of three pixels, 1/4 beside it.
func TestPyramids(t *testing.T) {
	p := pyramids(3)
	n := math.Sqrt(1.25*1.25 + 2*0.25*0.25)
	for i, want := range []float64{0.25 / n, 1.25 / n, 0.25 / n} {
		if math.Abs(p[i]-want/math.Sqrt2) > 1e-12 {
			t.Errorf("place %d: expected %v, found %v", i, want/math.Sqrt2, p[i])
		}
	}
	for _, side := range []int{1, 2, 5, 29} {
		sum := 0.0
		for _, v := range pyramids(side) {
			sum += v * v
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("side %d: norm %v", side, math.Sqrt(sum))
		}
	}
}

// squareHand is a query of the attack on one image [C,H,W] as the code of AutoAttack runs it, with loops over windows.
type squareHand struct {
	image   []float64
	c, h, w int
	eps     float64
	side    int       // of the window
	u       []float32 // uniform numbers of the query
}

// place is the first row or column of a window among n.
func (q squareHand) place(k, n int) int { return int(math.Floor(float64(q.u[k]) * float64(n-q.side))) }

func (q squareHand) sign(channel int) float64 {
	if q.u[squareSigns+channel] >= 0.5 {
		return 1
	}
	return -1
}

// linf is the image with twice the radius added to a window, by channel with a sign.
func (q squareHand) linf(best []float64) []float64 {
	x := slices.Clone(best)
	top, left := q.place(squareRow, q.h), q.place(squareColumn, q.w)
	for k := range q.c {
		for y := top; y < top+q.side; y++ {
			for z := left; z < left+q.side; z++ {
				x[(k*q.h+y)*q.w+z] += 2 * q.eps * q.sign(k)
			}
		}
	}
	return x
}

// l2 is the image with a pyramid in one window and the perturbation of another window taken away.
func (q squareHand) l2(best []float64) []float64 {
	delta, size := make([]float64, len(best)), 0.0
	for i := range delta {
		delta[i] = best[i] - q.image[i]
		size += delta[i] * delta[i]
	}
	next := slices.Clone(delta)
	for k := range q.c {
		q.window(k, delta, next, max(q.eps*q.eps-size, 0)/float64(q.c))
	}
	size = 0
	for _, d := range next {
		size += d * d
	}
	x := slices.Clone(best)
	for i, d := range next {
		x[i] = q.image[i] + d/(math.Sqrt(size)+1e-12)*q.eps
	}
	return x
}

// window changes one channel of the perturbation next, which was delta; unused is the channel's part of the squared radius that is left.
func (q squareHand) window(k int, delta, next []float64, unused float64) {
	s := q.side
	top, left := q.place(squareRow, q.h), q.place(squareColumn, q.w)
	top2, left2 := q.place(squareOtherRow, q.h), q.place(squareOtherColumn, q.w)
	at := func(y, z int) int { return (k*q.h+y)*q.w + z }
	own, both := 0.0, 0.0
	for y := range q.h {
		for z := range q.w {
			in := y >= top && y < top+s && z >= left && z < left+s
			in2 := y >= top2 && y < top2+s && z >= left2 && z < left2+s
			d := delta[at(y, z)] * delta[at(y, z)]
			if in {
				own += d
			}
			if in || in2 {
				both += d
			}
			if in2 {
				next[at(y, z)] = 0
			}
		}
	}
	eta := pyramids(s)
	fresh, sum := make([]float64, s*s), 0.0
	for y := range s {
		for z := range s {
			e := eta[y*s+z]
			if q.u[squareTurn] < 0.5 {
				e = eta[z*s+y]
			}
			fresh[y*s+z] = e*q.sign(k) + delta[at(top+y, left+z)]/(1e-12+math.Sqrt(own))
			sum += fresh[y*s+z] * fresh[y*s+z]
		}
	}
	mass := math.Sqrt(unused + both)
	for y := range s {
		for z := range s {
			next[at(top+y, left+z)] = fresh[y*s+z] / (1e-12 + math.Sqrt(sum)) * mass
		}
	}
}

// squareByHand is the attack by hand: u are the draws of the queries. It returns the best image after all of them.
func squareByHand(image, start []float64, c, h, w int, norm string, eps float64, u [][]float32, margin func(x []float64) float64) []float64 {
	clip := func(x []float64) []float64 {
		y := slices.Clone(x)
		for i, v := range y {
			if norm == "linf" {
				v = max(image[i]-eps, min(image[i]+eps, v))
			}
			y[i] = max(0, min(1, v))
		}
		return y
	}
	begin := slices.Clone(start)
	for i := range begin {
		begin[i] += image[i]
	}
	best := clip(begin)
	loss := margin(best)
	for query, u := range u {
		if loss <= 0 {
			break
		}
		q := squareHand{image, c, h, w, eps, squareSide(query, h, w, norm), u}
		change := q.l2
		if norm == "linf" {
			change = q.linf
		}
		x := clip(change(best))
		if m := margin(x); m < loss || m <= 0 {
			best, loss = x, m
		}
	}
	return best
}

// TestSquare compares the graph, in float64, with the attack by hand.
func TestSquare(t *testing.T) {
	const queries = 60
	c := convnet(t)
	score, err := c.Score(1)
	if err != nil {
		t.Fatal(err)
	}
	m := squareAttack.Stages[0].(method)
	m.steps = queries + 1
	points := []int{7, 8, 9}
	for _, norm := range []string{"linf", "l2"} {
		s := Settings{Norm: norm, Epsilon: radii[norm] / 8, Seed: 4}
		p, err := m.Program(c, len(points), s)
		if err != nil {
			t.Fatal(err)
		}
		in := inputs(m, s, 0, points...)
		// The labels are the predictions, so that there is something to search for.
		clean, err := interp.Run(mustScore(t, c, len(points)), map[string]*tensor.Tensor{"images": in["images"], "labels": in["labels"]})
		if err != nil {
			t.Fatal(err)
		}
		for i := range points {
			z := clean["logits"].Float64s()[5*i : 5*i+5]
			in["labels"].Int64s()[i] = int64(slices.Index(z, slices.Max(z)))
		}
		draws := tensor.Zeros(tensor.Float32, queries+1, int64(len(points)), squareSigns+3)
		stream := rng.New(3, rng.Attack, 0, 0, 0)
		stream.FillUniform(draws.Float32s(), 0, 1)
		in["draws"] = draws
		out, err := interp.Run(p.Graph, in)
		if err != nil {
			t.Fatal(err)
		}
		moved := 0
		for row := range points {
			image, from := make([]float64, elems), make([]float64, elems)
			for i := range elems {
				image[i], from[i] = float64(in["images"].Float32s()[row*elems+i]), float64(in["start"].Float32s()[row*elems+i])
			}
			var u [][]float32
			for q := range queries {
				at := ((q+1)*len(points) + row) * (squareSigns + 3)
				u = append(u, draws.Float32s()[at:at+squareSigns+3])
			}
			label := in["labels"].Int64s()[row]
			want := squareByHand(image, from, 3, size, size, norm, s.Epsilon, u, func(x []float64) float64 {
				out, err := interp.Run(score.Graph, map[string]*tensor.Tensor{
					"images": tensor.FromFloat64s(tensor.Float64, []int64{1, 3, size, size}, x), "labels": tensor.Vector(label),
				})
				if err != nil {
					t.Fatal(err)
				}
				z := out["logits"].Float64s()
				own := z[label]
				z[label] = math.Inf(-1)
				return own - slices.Max(z)
			})
			for i, w := range want {
				v := out["adversarial"].Float64At(row*elems + i)
				if math.Abs(v-w) > 1e-6 {
					t.Fatalf("%s, image %d, element %d: expected %v, found %v", norm, row, i, w, v)
				}
				if math.Abs(v-max(0, min(1, image[i]+from[i]))) > 1e-6 {
					moved++
				}
			}
		}
		if moved < elems/4 {
			t.Errorf("%s: %d of %d elements differ from the start", norm, moved, len(points)*elems)
		}
	}
}
