package op

import "rnas/compiler/ir"

// Random reports whether n may give different results for equal inputs: it draws random numbers, or drops some, unless
// a constant says that it does not.
func Random(n *ir.Node) bool {
	if n.Domain != "" {
		return false
	}
	switch n.Op {
	case "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial":
		return true
	case "Dropout":
		training := n.Input(2)
		return training != nil && !(training.IsConst() && training.Const.Float64At(0) == 0)
	}
	return false
}
