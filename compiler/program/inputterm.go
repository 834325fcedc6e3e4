package program

import (
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// curvature is |g(x + z) - g(x)| of each image [B] for the input gradient g of the mean cross-entropy and
//
//	z = size * sign(g(x)) / |sign(g(x))|
//
// which counts as a constant (AdvRush: Mok, Na, Choe, Yoon, "AdvRush: Searching for Adversarially Robust Neural Architectures", ICCV 2021,
// section 3.3, after CURE: Moosavi-Dezfooli et al. 2019, equation 6). The network normalises by running statistics, as the public
// code's does, and the input reg_size is the length of z.
func curvature(s *searchStep) *ir.Value {
	b := s.B
	loss := func(x *ir.Value) *ir.Value {
		logits, _, _ := s.forward(b, x, mode{})
		return mean(b, crossEntropy(b, logits, s.target))
	}
	x := b.Identity(s.images)
	here := gradient(b, loss(x), x)
	sign := b.Sign(here)
	z := b.Mul(b.Div(sign, b.Add(perImage(b, sign), b.Float(sign, 1e-7))), b.Reshape(s.size, 1, 1, 1, 1))
	s.stop = append(s.stop, z)
	moved := b.Add(s.images, z)
	there := gradient(b, loss(moved), moved)
	return b.Reshape(perImage(b, b.Sub(there, here)), int64(s.search.Batch))
}

// jacobian is K*|d(v.f)/dx|^2 of each image [B] for the input reg_probe v, a random unit vector for each image: its mean over v is the
// squared Frobenius norm of the Jacobian of the K logits (Hoffman, Roberts, Yaida, "Robust Learning with Jacobian Regularization",
// 2019, equation 7).
func jacobian(s *searchStep) *ir.Value {
	b := s.B
	x := b.Identity(s.images)
	logits, _, _ := s.forward(b, x, mode{})
	g := gradient(b, b.ReduceSum(b.Reshape(b.Mul(logits, s.probe), -1), true, 0), x)
	square := b.ReduceSum(b.Mul(g, g), false, 1, 2, 3)
	return b.Scale(square, float64(s.target.Shape[1]))
}

// perImage is the Euclidean norm of every image, [B,1,1,1]. At a zero image it has the gradient of a norm of 1e-12.
func perImage(b op.B, x *ir.Value) *ir.Value {
	sum := b.ReduceSum(b.Mul(x, x), true, 1, 2, 3)
	return b.Sqrt(b.Add(sum, b.Float(sum, 1e-24)))
}
