package attack

import (
	"math"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// squareFamilies is the Square attack (Andriushchenko et al. 2020, algorithms 1 to 3), a random search that takes no gradients. As in the
// code of AutoAttack it has 5000 queries, the margin as loss, and no rescaling of the schedule.
var squareFamilies = []family{
	fixed("square", "random search of squares without gradients, 5000 queries (Andriushchenko et al. 2020, algorithm 1)", squareAttack),
}

var squareAttack = Part{"square", []Stage{squareMethod()}}

const (
	squareQueries = 5000
	squareShare   = 0.8 // share of the pixels that the first squares cover
)

// Indices of the uniform numbers of a query: the places of the window and of the window that mass is taken from, the orientation, and then
// the sign of each channel.
const (
	squareRow = iota
	squareColumn
	squareOtherRow
	squareOtherColumn
	squareTurn
	squareSigns
)

// squareLoss is the index of the loss in the state, behind the image and whether it is misclassified.
const squareLoss = 2

func squareMethod() method {
	return method{
		key: "square", norms: []string{"linf", "l2"}, classes: 2, steps: squareQueries + 1, masks: true, earlyStop: true, perStep: Counts{Forwards: 1},
		start: squareStart, draws: func(shape []int64) int { return squareSigns + int(shape[0]) }, propose: squarePropose,
		init: func(b op.B, s scene) []*ir.Value {
			return []*ir.Value{s.begin(b), s.none(b), b.Add(s.none(b), b.Float(s.Images, -math.MaxFloat32))}
		},
		step: squareStep,
	}
}

// squareStart draws vertical stripes of width one in the maximum norm, and a grid of about 5 by 5 pyramids in the Euclidean norm.
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

// pyramids is the pattern [side,side] of a window: two rectangular pyramids side by side, one above and one below zero, with norm 1
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

// pyramid adds to p [h,w] rectangles of growing size around the middle, each lower than the one inside, and gives the whole norm 1.
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

// squareSide is the side of the window of a query in images of h by w pixels. Queries are counted from 0.
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

// Indices of scene.Proposal, what a query knows before it sees the image. In the maximum norm there are only the first two.
const (
	squareColumns      = iota // 1 in the window or 0: [B,1,1,W]
	squareRows                // the same [B,1,H,1]; in the maximum norm times what the window adds to each channel: [B,C,H,1]
	squareSign                // sign of each channel [B,C,1,1]
	squareMoves               // 0 for the query that looks at the start, 1 for others: [B,1,1,1]
	squareOtherColumns        // squareColumns of the window that mass is taken from
	squareOtherRows           // squareRows of the window that mass is taken from
	squareColumnPlace         // first summand of the place in the table of pyramids [B,1,1,W]
	squareRowPlace            // second summand of that place [B,1,H,1]
)

// squarePropose is method.propose: the windows of K queries, whose side depends on the number of the query.
func squarePropose(b op.B, s scene, t, draws *ir.Value) []*ir.Value {
	h, w, c := int(s.Images.Shape[2]), int(s.Images.Shape[3]), s.Images.Shape[1]
	sides := make([]float64, squareQueries+1)
	for i := range sides {
		sides[i] = float64(squareSide(max(i-1, 0), h, w, s.Norm))
	}
	p := squareWindows{B: b, scene: s, draws: draws, side: at(b, "sides", sides, t)}
	y, rows := p.along(2, squareRow)
	x, columns := p.along(3, squareColumn)
	up := indicate(b, b.GreaterOrEqual(p.numbers(squareSigns, c), b.Float(draws, 0.5)))
	sign := b.Sub(b.Scale(up, 2), b.Float(up, 1))
	moves := indicate(b, b.Greater(t, b.Float(t, 0.5)))
	if s.Norm == "linf" {
		return []*ir.Value{columns, b.Mul(rows, b.Mul(b.Scale(sign, 2*s.Epsilon), moves))}
	}
	_, otherRows := p.along(2, squareOtherRow)
	_, otherColumns := p.along(3, squareOtherColumn)
	turn := b.Less(p.numbers(squareTurn, 1), b.Float(draws, 0.5))
	one := b.Float(p.side, 1)
	inside := func(place *ir.Value) *ir.Value { return b.Max(b.Min(place, b.Sub(p.side, one)), b.Float(place, 0)) }
	rowPlace := b.Mul(inside(y), b.Where(turn, one, p.side))
	columnPlace := b.Add(b.Mul(inside(x), b.Where(turn, p.side, one)), at(b, "pyramid.starts", pyramidStarts(min(h, w)), p.side))
	return []*ir.Value{columns, rows, sign, moves, otherColumns, otherRows, columnPlace, rowPlace}
}

// squareWindows are the windows of K queries of B images.
type squareWindows struct {
	op.B
	scene
	draws *ir.Value // [K,B,draws]
	side  *ir.Value // [K,B,1,1,1]
}

// numbers are n of the uniform numbers, from the i-th on: [K,B,n,1,1].
func (p squareWindows) numbers(i, n int64) *ir.Value {
	u := p.Slice(p.draws, []int64{i}, []int64{i + n}, []int64{2}, []int64{1})
	return p.One("Unsqueeze", nil, u, p.Ints(3, 4))
}

// along is the place in the window of each pixel of an axis of the image, [K,B,1,H,1] or [K,B,1,1,W]. in is 1 for a pixel in the window and
// 0 for others. As in the code of AutoAttack, the last place of a window is never drawn.
func (p squareWindows) along(axis int, draw int64) (place, in *ir.Value) {
	n := p.Images.Shape[axis]
	shape := []int64{1, 1, 1, 1, 1}
	shape[1+axis] = n
	index := make([]float64, n)
	for i := range index {
		index[i] = float64(i)
	}
	pixels := p.Const("pixels", tensor.FromFloat64s(ir.Float32, shape, index))
	room := p.Sub(p.Float(p.side, float64(n)), p.side)
	corner := p.One("Floor", nil, p.Mul(p.numbers(draw, 1), room))
	place = p.Sub(pixels, corner)
	return place, indicate(p.B, p.One("And", nil, p.GreaterOrEqual(place, p.Float(place, 0)), p.Less(place, p.side)))
}

// squareStep looks at the start in step 0. In other steps it looks at the best image so far with one window changed.
func squareStep(b op.B, s scene, _ *ir.Value, v []*ir.Value) []*ir.Value {
	if b.Err() != nil {
		return v
	}
	change := squareStepLinf
	if s.Norm == "l2" {
		change = squareStepL2
	}
	best, found, loss := v[0], v[1], v[squareLoss]
	x := change(b, s, best)
	value := column(b, s.criterion("margin")(b, s.Logits(b, x)))
	hit := s.within(b, b.GreaterOrEqual(value, b.Float(value, 0)))
	better := s.within(b, b.Greater(value, loss))
	first := b.One("And", nil, hit, b.Less(found, b.Float(found, 0.5)))
	take := b.One("Or", nil, better, first)
	return []*ir.Value{blend(b, take, x, best), b.Max(found, b.Cast(hit, ir.Float32)), b.Where(take, value, loss)}
}

// squareStepLinf adds twice the radius to the window or takes it away, for each channel by its sign.
func squareStepLinf(b op.B, s scene, best *ir.Value) *ir.Value {
	return s.Project(b, b.Add(best, b.Mul(s.Proposal[squareRows], s.Proposal[squareColumns])))
}

// squareStepL2 adds a pyramid to the perturbation in the window. The window gets the part of eps that is not used and the norm of another
// window, whose perturbation becomes zero.
func squareStepL2(b op.B, s scene, best *ir.Value) *ir.Value {
	perChannel := func(x *ir.Value) *ir.Value { return b.ReduceSum(b.Mul(x, x), true, 2, 3) }
	tinyOf := func(x *ir.Value) *ir.Value { return b.Add(x, b.Float(x, tiny)) }
	delta := b.Sub(best, s.Images)
	one := b.Mul(s.Proposal[squareRows], s.Proposal[squareColumns])
	both := b.Max(one, b.Mul(s.Proposal[squareOtherRows], s.Proposal[squareOtherColumns]))
	inside := b.Mul(delta, one)
	fresh := b.Add(b.Mul(b.Mul(squarePyramids(b, s), one), s.Proposal[squareSign]), b.Div(inside, tinyOf(b.Sqrt(perChannel(inside)))))
	unused := b.Relu(b.Sub(b.Float(delta, s.Epsilon*s.Epsilon), perImage(b, b.Mul(delta, delta))))
	mass := b.Sqrt(b.Add(b.Scale(unused, 1/float64(s.Images.Shape[1])), perChannel(b.Mul(delta, both))))
	fresh = b.Mul(b.Div(fresh, tinyOf(b.Sqrt(perChannel(fresh)))), mass)
	rest := b.Mul(delta, b.Sub(b.Float(one, 1), both))
	x := b.Clip(b.Add(s.Images, b.Scale(unit(b, b.Add(rest, fresh)), s.Epsilon)), 0, 1)
	moves := s.Proposal[squareMoves]
	return b.Where(b.Greater(moves, b.Float(moves, 0.5)), x, best)
}

// squarePyramids is the pattern of each image at the place of its window: [B,1,H,W]. Values outside the window have no meaning.
func squarePyramids(b op.B, s scene) *ir.Value {
	var table []float64
	for side := 1; side <= int(min(s.Images.Shape[2], s.Images.Shape[3])); side++ {
		table = append(table, pyramids(side)...)
	}
	values := b.Const("pyramids", tensor.FromFloat64s(ir.Float32, []int64{int64(len(table))}, table))
	place := b.Add(s.Proposal[squareRowPlace], s.Proposal[squareColumnPlace])
	return b.Gather(values, b.Cast(place, ir.Int64), 0)
}

// pyramidStarts is by side, up to the largest, where the pattern begins in the table of squarePyramids.
func pyramidStarts(largest int) []float64 {
	starts := make([]float64, largest+1)
	for side := 1; side < largest; side++ {
		starts[side+1] = starts[side] + float64(side*side)
	}
	return starts
}
