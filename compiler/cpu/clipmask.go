package cpu

import (
	"math"

	"rnas/compiler/ir"
)

// clipmask turns Where(x >= c, g, 0) and Where(x <= c, g, 0) into g times a steep HardSigmoid of x, for float32 and one constant
// c. The gradient of Clip consists of such nodes.
//
// The factor is 0 or 1 for every x, with one exception: where c is 0 and x is within 1e-30 of it on the masked side. Where g is
// not finite, 0 times g is not 0.
//
// The CPU provider of ONNX Runtime is several times slower at Where, and leaves NCHWc for it.
func clipmask(g *ir.Graph) error {
	uses := ir.CountUses(g)
	masks := map[*ir.Value]int{} // conditions, and how many of their uses are such masks
	var wheres []*ir.Node
	g.Walk(func(n *ir.Node) {
		if n.Op != "Where" || n.Domain != "" || n.Out[0].Type != ir.Float32 || !isZero(n.In[2]) {
			return
		}
		if def := n.In[0].Def; def != nil && steps(def) != nil && n.In[1].Shape.Equal(def.In[0].Shape) && n.Out[0].Shape.Equal(n.In[1].Shape) {
			masks[n.In[0]]++
			wheres = append(wheres, n)
		}
	})
	for _, n := range wheres {
		mask := n.In[0]
		if masks[mask] != uses[mask] {
			continue
		}
		if d := mask.Def; d.Op != "HardSigmoid" {
			d.Attrs = steps(d)
			d.Op, d.In = "HardSigmoid", d.In[:1]
			mask.Type = ir.Float32
		}
		n.Op, n.In = "Mul", []*ir.Value{n.In[1], mask}
	}
	return nil
}

// steps returns the attributes of the HardSigmoid that is 1 where the comparison n holds and 0 elsewhere, or nil if there is none.
func steps(n *ir.Node) ir.Attrs {
	side, ok := map[string]float64{"GreaterOrEqual": 1, "LessOrEqual": -1, "HardSigmoid": 1}[n.Op]
	if !ok || n.Domain != "" || n.In[0].Type != ir.Float32 {
		return nil
	}
	if n.Op == "HardSigmoid" {
		return n.Attrs
	}
	if c := n.In[1]; !c.IsConst() || c.Const.Len() != 1 || c.Rank() > n.In[0].Rank() {
		return nil
	}
	bound := n.In[1].Const.Float64At(0)
	alpha, beta := side*0x1p100, 1.0
	if bound != 0 {
		// The bound in units of the last place of its float32: 2^23 up to 2^24, so that the neighbours of the bound are one unit
		// away and no sum is rounded. Towards 0, those of a power of two are half a unit away, unless it is one of 2^24 units.
		fraction, exponent := math.Frexp(bound)
		scale := 24 - exponent
		if math.Abs(fraction) == 0.5 && (bound > 0) == (side > 0) {
			scale++
		}
		unit := math.Ldexp(1, scale)
		alpha, beta = side*unit, 1-side*bound*unit
	}
	a, b := float32(alpha), float32(beta)
	if float64(a) != alpha || float64(b) != beta {
		return nil
	}
	return ir.Attrs{"alpha": a, "beta": b}
}
