package attack

import (
	"math"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// The Square attack (Andriushchenko et al. 2020, algorithms 1 to 3), a random search that asks for logits only, as the code of
// AutoAttack runs it: 5000 queries, the margin as loss, no rescaling of the schedule.
var squareFamilies = []family{
	fixed("square", "random search of squares without gradients, 5000 queries (Andriushchenko et al. 2020, algorithm 1)", squareAttack),
}

var squareAttack = Part{"square", []Stage{squareStage()}}

const (
	squareQueries = 5000
	squareShare   = 0.8 // of the pixels that the first squares cover
)

// The uniform numbers of a query: places of the window and of the one that it takes mass from, orientation, and then the sign of
// each channel.
const (
	squareRow = iota
	squareColumn
	squareOtherRow
	squareOtherColumn
	squareTurn
	squareSigns
)

// The state of the attack beside the image and whether it is misclassified.
const squareLoss = 2

func squareStage() method {
	return method{
		key: "square", norms: []string{"linf", "l2"}, classes: 2, steps: squareQueries + 1, masks: true, stops: true, perStep: Counts{Forwards: 1},
		start: squareStart, draws: func(shape []int64) int { return squareSigns + int(shape[0]) },
		init: func(b op.B, s scene) []*ir.Value {
			return []*ir.Value{s.begin(b), s.none(b), b.Add(s.none(b), b.Float(s.Images, -math.MaxFloat32))}
		},
		step: squareStep,
	}
}

// squareStart is vertical stripes of width one in the maximum norm, and else a grid of pyramids on 5 by 5 fields.
func squareStart(dst []float32, shape []int64, stream *rng.Stream, s Settings) {
	c, h, w := int(shape[0]), int(shape[1]), int(shape[2])
	if s.Norm == "linf" {
		stripes := make([]float32, w)
		for k := range c {
			stream.FillSign(stripes, float32(s.Epsilon))
			for y := range h {
				copy(dst[(k*h+y)*w:], stripes)
			}
		}
		return
	}
	clear(dst)
	side := max(1, min(h, w)/5)
	pattern := pyramids(side)
	for top := (h % side) / 2; top+side <= h; top += side {
		for left := (w % side) / 2; left+side <= w; left += side {
			turned := stream.IntN(2) == 1
			for k := range c {
				sign := float64(2*stream.IntN(2) - 1)
				for y := range side {
					for x := range side {
						v := pattern[y*side+x]
						if turned {
							v = pattern[x*side+y]
						}
						dst[(k*h+top+y)*w+left+x] = float32(sign * v)
					}
				}
			}
		}
	}
	scale(dst, s.Epsilon/max(sizeL2(dst, make([]float32, len(dst))), tiny))
}

// pyramids is the pattern of a window side by side: two rectangular pyramids, one above and one below zero, with norm 1
// (Andriushchenko et al. 2020, section 4.2).
func pyramids(side int) []float64 {
	p := make([]float64, side*side)
	upper := side / 2
	pyramid(p[:upper*side], upper, side, 1)
	pyramid(p[upper*side:], side-upper, side, -1)
	sum := 0.0
	for _, v := range p {
		sum += v * v
	}
	for i := range p {
		p[i] /= math.Sqrt(sum)
	}
	return p
}

// pyramid adds rectangles of growing size around the middle, each lower than the one inside, and gives the whole norm 1.
func pyramid(p []float64, h, w int, sign float64) {
	top, left := h/2, w/2
	for i := range max(h/2+1, w/2+1) {
		for y := max(top-i, 0); y < min(top+i+1, h); y++ {
			for x := max(left-i, 0); x < min(left+i+1, w); x++ {
				p[y*w+x] += sign / float64((i+1)*(i+1))
			}
		}
	}
	sum := 0.0
	for _, v := range p {
		sum += v * v
	}
	for i := range p {
		p[i] /= max(math.Sqrt(sum), tiny)
	}
}

// squareSide is the side of the window of a query, counted from 0, in images of h by w pixels.
func squareSide(query, h, w int, norm string) int {
	p := squareShare
	for _, last := range []int{10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000} {
		if query > last {
			p /= 2
		}
	}
	side := int(math.RoundToEven(math.Sqrt(p * float64(h) * float64(w))))
	if norm == "linf" {
		return min(max(side, 1), h, w)
	}
	return min(max(side, 3)|1, h, w)
}

// squareStep looks at the start in step 0 and at the best image so far with one window changed in the others.
func squareStep(b op.B, s scene, t *ir.Value, v []*ir.Value) []*ir.Value {
	if b.Err() != nil {
		return v
	}
	h, w := int(s.Images.Shape[2]), int(s.Images.Shape[3])
	sides := make([]float64, squareQueries+1)
	for i := range sides {
		sides[i] = float64(squareSide(max(i-1, 0), h, w, s.Norm))
	}
	windows := squareWindows{B: b, scene: s, side: at(b, "sides", sides, t), moves: indicate(b, b.Greater(t, b.Float(t, 0.5)))}
	propose := windows.linf
	if s.Norm == "l2" {
		propose = windows.l2
	}
	best, found, loss := v[0], v[1], v[squareLoss]
	x := propose(best)
	value := column(b, s.criterion("margin")(b, s.Logits(b, x)))
	hit := s.within(b, b.GreaterOrEqual(value, b.Float(value, 0)))
	better := s.within(b, b.Greater(value, loss))
	first := b.One("And", nil, hit, b.Less(found, b.Float(found, 0.5)))
	take := b.One("Or", nil, better, first)
	return []*ir.Value{blend(b, take, x, best), b.Max(found, b.Cast(hit, ir.Float32)), b.Where(take, value, loss)}
}

// squareWindows makes windows of a side that differs from image to image.
type squareWindows struct {
	op.B
	scene
	side  *ir.Value // [B,1,1,1]
	moves *ir.Value // [B,1,1,1], 0 in the step that looks at the start and then 1
}

// draw is one uniform number of each image: [B,1,1,1].
func (w squareWindows) draw(i int64) *ir.Value {
	return column(w.B, w.Slice(w.Draws, []int64{i}, []int64{i + 1}, []int64{1}, []int64{1}))
}

// signs are one of each channel: [B,C,1,1].
func (w squareWindows) signs() *ir.Value {
	c := w.Images.Shape[1]
	u := w.Slice(w.Draws, []int64{squareSigns}, []int64{squareSigns + c}, []int64{1}, []int64{1})
	u = w.Reshape(u, -1, c, 1, 1)
	return w.Sub(w.B.Scale(w.Cast(w.GreaterOrEqual(u, w.Float(u, 0.5)), ir.Float32), 2), w.Float(u, 1))
}

// along is the place of each pixel of an axis in the window [B,1,H,1] or [B,1,1,W], and whether it lies in it. As in the code
// of AutoAttack the last place of a window is never drawn.
func (w squareWindows) along(axis int, draw int64) (place, in *ir.Value) {
	n := w.Images.Shape[axis]
	shape := []int64{1, 1, 1, 1}
	shape[axis] = n
	index := make([]float64, n)
	for i := range index {
		index[i] = float64(i)
	}
	pixels := w.Const("pixels", tensor.FromFloat64s(ir.Float32, shape, index))
	room := w.Sub(w.Float(w.side, float64(n)), w.side)
	corner := w.One("Floor", nil, w.Mul(w.draw(draw), room))
	place = w.Sub(pixels, corner)
	return place, w.One("And", nil, w.GreaterOrEqual(place, w.Float(place, 0)), w.Less(place, w.side))
}

// window is 1 inside and 0 outside: [B,1,H,W].
func (w squareWindows) window(row, column int64) *ir.Value {
	_, y := w.along(2, row)
	_, x := w.along(3, column)
	return w.Cast(w.One("And", nil, y, x), ir.Float32)
}

// linf moves the window by twice the radius, each channel up or down.
func (w squareWindows) linf(best *ir.Value) *ir.Value {
	step := w.Mul(w.window(squareRow, squareColumn), w.Mul(w.B.Scale(w.signs(), 2*w.Epsilon), w.moves))
	return w.Project(w.B, w.Add(best, step))
}

// l2 gives the window a pyramid on top of what it has, with the norm that is not used and that of another window, which becomes
// zero.
func (w squareWindows) l2(best *ir.Value) *ir.Value {
	b := w.B
	perChannel := func(x *ir.Value) *ir.Value { return b.ReduceSum(b.Mul(x, x), true, 2, 3) }
	tinyOf := func(x *ir.Value) *ir.Value { return b.Add(x, b.Float(x, tiny)) }
	delta := b.Sub(best, w.Images)
	one, other := w.window(squareRow, squareColumn), w.window(squareOtherRow, squareOtherColumn)
	inside := b.Mul(delta, one)
	fresh := b.Add(b.Mul(b.Mul(w.pattern(), one), w.signs()), b.Div(inside, tinyOf(b.Sqrt(perChannel(inside)))))
	unused := b.Relu(b.Sub(b.Float(delta, w.Epsilon*w.Epsilon), perImage(b, b.Mul(delta, delta))))
	mass := b.Sqrt(b.Add(b.Scale(unused, 1/float64(w.Images.Shape[1])), perChannel(b.Mul(delta, b.Max(one, other)))))
	fresh = b.Mul(b.Div(fresh, tinyOf(b.Sqrt(perChannel(fresh)))), mass)
	rest := b.Mul(delta, b.Sub(b.Float(one, 1), b.Max(one, other)))
	x := b.Clip(b.Add(w.Images, b.Scale(unit(b, b.Add(rest, fresh)), w.Epsilon)), 0, 1)
	return b.Where(b.Greater(w.moves, b.Float(w.moves, 0.5)), x, best)
}

// pattern is the pyramids of each image at the place of its window, of no meaning outside: [B,1,H,W].
func (w squareWindows) pattern() *ir.Value {
	b := w.B
	largest := int(min(w.Images.Shape[2], w.Images.Shape[3]))
	var table []float64
	starts := make([]float64, largest+1)
	for side := 1; side <= largest; side++ {
		starts[side] = float64(len(table))
		table = append(table, pyramids(side)...)
	}
	y, _ := w.along(2, squareRow)
	x, _ := w.along(3, squareColumn)
	clip := func(v *ir.Value) *ir.Value {
		return b.Max(b.Min(v, b.Sub(w.side, b.Float(w.side, 1))), b.Float(v, 0))
	}
	y, x = clip(y), clip(x)
	straight := b.Add(b.Mul(y, w.side), x)
	turned := b.Add(b.Mul(x, w.side), y)
	turn := b.Less(w.draw(squareTurn), b.Float(w.side, 0.5))
	index := b.Add(b.Where(turn, turned, straight), at(b, "pyramid.starts", starts, w.side))
	values := b.Const("pyramids", tensor.FromFloat64s(ir.Float32, []int64{int64(len(table))}, table))
	return b.Gather(values, b.Cast(index, ir.Int64), 0)
}
