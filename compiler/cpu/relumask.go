package cpu

import "rnas/compiler/ir"

// relumask turns Sign(y) of y = Relu(x) into HardSigmoid(y, alpha=1e30, beta=0) for float32. Both are 0 at y = 0 and 1 for y >=
// 1e-30. The CPU provider of ONNX Runtime keeps HardSigmoid, unlike Sign, in NCHWc, so that the mask of a gradient costs no
// reordering.
func relumask(g *ir.Graph) error {
	g.Walk(func(n *ir.Node) {
		if n.Op != "Sign" || n.Domain != "" || n.In[0].Type != ir.Float32 {
			return
		}
		if def := n.In[0].Def; def != nil && def.Op == "Relu" && def.Domain == "" {
			n.Op, n.Attrs = "HardSigmoid", ir.Attrs{"alpha": float32(1e30), "beta": float32(0)}
		}
	})
	return nil
}
