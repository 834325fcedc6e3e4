package attack

import (
	"math"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// geometry is what attacks need to know of a norm. Tensors are [B,C,H,W].
type geometry struct {
	largest float64 // the largest eps that is accepted
	// size is the norm of the difference between an adversarial image and the image, both [C,H,W].
	size func(adversarial, image []float32) float64
	// length is the norm of each image: [B,1,1,1].
	length func(b op.B, x *ir.Value) *ir.Value
	// dual is the dual norm of each gradient, the rise of a linear loss within the ball of radius 1: [B,1,1,1].
	dual func(b op.B, g *ir.Value) *ir.Value
	// ball is the projection into the ball of radius eps around images and into [0,1]. Nodes that do not depend on the values to be
	// projected are added to b.
	ball func(b op.B, images *ir.Value, eps float64) projection
	// direction is the step of unit size along which a linear function of gradient g grows the most.
	direction func(b op.B, g *ir.Value) *ir.Value
	// uniform draws a point of the ball of radius eps into dst [C,H,W].
	uniform func(s *rng.Stream, dst []float32, eps float64)
}

// projection brings x [B,C,H,W] into a set, by nodes of b.
type projection func(b op.B, x *ir.Value) *ir.Value

// tiny keeps divisions by norms of zero gradients finite, as AutoAttack does.
const tiny = 1e-12

// norms has one row for each of Norms.
var norms = map[string]geometry{
	"linf": {1, sizeLinf, peak, absolutes, ballLinf, op.B.Sign, uniformLinf},
	"l2":   {math.MaxFloat32, sizeL2, lengths, lengths, around(projectL2), directionL2, uniformL2},
	"l1":   {math.MaxFloat32, sizeL1, absolutes, peak, around(projectL1), directionL1, uniformL1},
}

// Norms lists the norms that there are attacks in.
func Norms() []string { return []string{"linf", "l2", "l1"} }

// Size is the norm of the difference between an adversarial image and the image, both [C,H,W]; NaN when a pixel is.
func (s Settings) Size(adversarial, image []float32) float64 {
	return norms[s.Norm].size(adversarial, image)
}

// sizeLinf is the maximum norm of x-y; NaN when a pixel is.
func sizeLinf(x, y []float32) float64 {
	largest := 0.0
	for i, v := range x {
		d := math.Abs(float64(v) - float64(y[i]))
		if math.IsNaN(d) {
			return d
		}
		largest = max(largest, d)
	}
	return largest
}

// sizeL2 is the Euclidean norm of x-y.
func sizeL2(x, y []float32) float64 {
	sum := 0.0
	for i, v := range x {
		d := float64(v) - float64(y[i])
		sum += d * d
	}
	return math.Sqrt(sum)
}

// sizeL1 is the sum of the sizes of x-y.
func sizeL1(x, y []float32) float64 {
	sum := 0.0
	for i, v := range x {
		sum += math.Abs(float64(v) - float64(y[i]))
	}
	return sum
}

// ballLinf is the ball of the maximum norm, whose bounds do not depend on the values to be projected.
func ballLinf(b op.B, images *ir.Value, eps float64) projection {
	low := b.Clip(b.Sub(images, b.Float(images, eps)), 0, 1)
	high := b.Clip(b.Add(images, b.Float(images, eps)), 0, 1)
	return func(b op.B, x *ir.Value) *ir.Value { return b.Min(b.Max(x, low), high) }
}

// around is geometry.ball for a projection of which all nodes depend on x.
func around(project func(b op.B, x, images *ir.Value, eps float64) *ir.Value) func(op.B, *ir.Value, float64) projection {
	return func(_ op.B, images *ir.Value, eps float64) projection {
		return func(b op.B, x *ir.Value) *ir.Value { return project(b, x, images, eps) }
	}
}

// peak is the maximum norm of each image: [B,1,1,1].
func peak(b op.B, x *ir.Value) *ir.Value { return b.ReduceMax(b.Abs(x), true, 1, 2, 3) }

// absolutes is the sum of the sizes of the pixels of each image: [B,1,1,1].
func absolutes(b op.B, x *ir.Value) *ir.Value { return perImage(b, b.Abs(x)) }

// lengths is the Euclidean norm of each image: [B,1,1,1].
func lengths(b op.B, x *ir.Value) *ir.Value { return b.Sqrt(perImage(b, b.Mul(x, x))) }

// unit is x over its Euclidean norm.
func unit(b op.B, x *ir.Value) *ir.Value { return b.Div(x, b.Add(lengths(b, x), b.Float(x, tiny))) }

// projectL2 is the projection onto the ball, then onto [0,1].
func projectL2(b op.B, x, images *ir.Value, eps float64) *ir.Value {
	d := b.Sub(x, images)
	n := lengths(b, d)
	factor := b.Div(b.Min(n, b.Float(d, eps)), b.Add(n, b.Float(d, tiny)))
	return b.Clip(b.Add(images, b.Mul(d, factor)), 0, 1)
}

// directionL2 is the gradient over its Euclidean norm.
func directionL2(b op.B, g *ir.Value) *ir.Value { return unit(b, g) }

// projectL1 is the Euclidean projection onto the ball (Duchi et al. 2008, figure 1), then onto [0,1]. The second projection only moves
// pixels towards the image.
func projectL1(b op.B, x, images *ir.Value, eps float64) *ir.Value {
	if b.Err() != nil {
		return x
	}
	d := b.Sub(x, images)
	size := b.Abs(d)
	elems := ir.Shape(x.Shape[1:]).Numel()
	sorted, _ := b.TopK(b.Flatten(size), elems, 1)
	counts := make([]float64, elems)
	for i := range counts {
		counts[i] = float64(i + 1)
	}
	n := b.Const("counts", tensor.FromFloat64s(ir.Float32, []int64{1, elems}, counts))
	// The threshold is the largest excess (sum of the j largest - eps) / j that is below the j-th largest size. It is for the first j,
	// along which the excess grows.
	excess := b.Div(b.Sub(b.One("CumSum", nil, sorted, b.Int(1)), b.Float(x, eps)), n)
	threshold := b.Max(b.ReduceMax(b.Where(b.Greater(sorted, excess), excess, b.Float(x, 0)), true, 1), b.Float(x, 0))
	left := b.Relu(b.Sub(size, b.Reshape(threshold, -1, 1, 1, 1)))
	return b.Clip(b.Add(images, b.Mul(b.Sign(d), left)), 0, 1)
}

// share is the part of the pixels that a step in the L1 norm changes (Tramer & Boneh 2019, appendix B: sparse L1 descent).
const share = 0.01

// directionL1 is a step of unit size along the signs of the largest entries of the gradient, a share of all.
func directionL1(b op.B, g *ir.Value) *ir.Value {
	if b.Err() != nil {
		return g
	}
	elems := ir.Shape(g.Shape[1:]).Numel()
	k := max(1, int64(math.Round(share*float64(elems))))
	size := b.Abs(g)
	top, _ := b.TopK(b.Flatten(size), k, 1)
	threshold := b.Reshape(b.Slice(top, []int64{k - 1}, []int64{k}, []int64{1}, []int64{1}), -1, 1, 1, 1)
	d := b.Mul(b.Sign(g), b.Cast(b.GreaterOrEqual(size, threshold), ir.Float32))
	return b.Div(d, b.Max(perImage(b, b.Abs(d)), b.Float(g, 1)))
}

// uniformLinf draws every pixel by itself.
func uniformLinf(s *rng.Stream, dst []float32, eps float64) {
	s.FillUniform(dst, float32(-eps), float32(eps))
}

// uniformL2 draws a direction from the normal distribution and a radius eps*u^(1/n), with u uniform in [0,1) and n the number of values.
func uniformL2(s *rng.Stream, dst []float32, eps float64) {
	s.FillNormal(dst, 1)
	radius := eps * math.Pow(s.Float64(), 1/float64(len(dst)))
	scale(dst, radius/max(sizeL2(dst, make([]float32, len(dst))), tiny))
}

// uniformL1 draws sizes from the exponential distribution and divides them by the sum of these and one more; signs are random.
func uniformL1(s *rng.Stream, dst []float32, eps float64) {
	sum := -math.Log1p(-s.Float64())
	for i := range dst {
		e := -math.Log1p(-s.Float64())
		sum += e
		dst[i] = float32(e)
		if s.IntN(2) == 0 {
			dst[i] = -dst[i]
		}
	}
	scale(dst, eps/sum)
}

// scale multiplies v by k.
func scale(v []float32, k float64) {
	for i := range v {
		v[i] = float32(float64(v[i]) * k)
	}
}
