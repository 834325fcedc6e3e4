package op

import "rnas/compiler/ir"

// Private is the set of values that no other node may come to read: the running statistics that BatchNormalization reads in
// training mode. The CPU provider of ONNX Runtime writes the new statistics over them (see op.B.BatchNormTrain). The nodes that
// make these values stay and are not shared.
func Private(g *ir.Graph) map[*ir.Value]bool {
	set := map[*ir.Value]bool{}
	g.Walk(func(n *ir.Node) {
		if n.Op == "BatchNormalization" && n.Int("training_mode", 0) != 0 {
			set[n.In[3]], set[n.In[4]] = true, true
		}
	})
	return set
}
