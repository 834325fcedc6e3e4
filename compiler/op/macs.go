package op

import "rnas/compiler/ir"

// MACs counts the multiply-adds of the convolutions and matrix products of g. The body of a loop counts once, and a symbolic batch
// as one image.
func MACs(g *ir.Graph) int64 {
	total := int64(0)
	numel := func(s ir.Shape) int64 {
		n := int64(1)
		for _, d := range s {
			if d != ir.N {
				n *= d
			}
		}
		return n
	}
	g.Walk(func(n *ir.Node) {
		switch n.Op {
		case "Conv":
			total += numel(n.Out[0].Shape) * numel(n.In[1].Shape[1:])
		case "ConvTranspose":
			total += numel(n.In[0].Shape) * numel(n.In[1].Shape[1:])
		case "Gemm":
			inner := n.In[0].Shape[1]
			if n.Int("transA", 0) != 0 {
				inner = n.In[0].Shape[0]
			}
			total += numel(n.Out[0].Shape) * inner
		case "MatMul":
			total += numel(n.Out[0].Shape) * n.In[0].Shape[n.In[0].Rank()-1]
		}
	})
	return total
}
