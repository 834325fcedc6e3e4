package export

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// expand returns the standard operators that an operator of ONNX Runtime's own is made of, or nil for other operators. The last ones define
// the outputs of n.
func (r *reader) expand(n *ir.Node) ([]*ir.Node, error) {
	row := op.Lookup(n.Domain, n.Op)
	if row == nil || row.Decompose == nil || n.Domain != op.Microsoft && n.Op != "SimplifiedLayerNormalization" {
		return nil, nil
	}
	if err := r.infer(n); err != nil {
		return nil, err
	}
	body, args, err := op.Body(n)
	if err != nil {
		return nil, fmt.Errorf("node %s: %w", n.Name, err)
	}
	if err := r.memory.take(int64(len(body.Nodes)) * (nodeMemory + valueMemory)); err != nil {
		return nil, err
	}
	given := map[*ir.Value]bool{}
	for _, v := range n.In {
		given[v] = true
	}
	replaced := map[*ir.Value]*ir.Value{}
	for i, v := range body.Inputs {
		replaced[v] = args[i]
	}
	k := 0
	for _, v := range n.Out {
		if v != nil {
			replaced[body.Outputs[k]] = v
			k++
		}
	}
	for _, v := range body.Constants() {
		if !given[v] {
			if err := r.memory.take(v.Shape.Numel() * int64(v.Type.Size())); err != nil {
				return nil, err
			}
			v.Name = r.names.fresh(base(n) + "/" + v.Name)
		}
	}
	for _, made := range body.Nodes {
		made.Name = base(n) + "/" + made.Name
		for i, v := range made.Out {
			if to := replaced[v]; to != nil {
				to.Def, made.Out[i] = made, to
			} else if v != nil {
				v.Name = r.names.fresh(base(n) + "/" + v.Name)
			}
		}
	}
	body.Replace(replaced)
	return body.Nodes, nil
}
