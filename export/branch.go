package export

import (
	"fmt"

	"rnas/compiler/ir"
)

// branch is the graph that an If with a constant condition takes; nil for other nodes.
func (r *reader) branch(n *ir.Node, attrs map[string]any) (*graphProto, error) {
	if n.Domain != "" || n.Op != "If" || !r.folds || len(n.In) != 1 || !n.In[0].IsConst() {
		return nil, nil
	}
	cond, ok := n.In[0].Const.Data.([]bool)
	if !ok || len(cond) != 1 {
		return nil, fmt.Errorf("expected one boolean condition, found %s", n.In[0])
	}
	name := "else_branch"
	if cond[0] {
		name = "then_branch"
	}
	g, ok := attrs[name].(*graphProto)
	if !ok {
		return nil, fmt.Errorf("attribute %s is missing", name)
	}
	return g, nil
}

// inline reads a branch in place of the node p that has it and gives its results the names of the outputs.
func (r *reader) inline(branch *graphProto, p *nodeProto, s *scope, err error) ([]*ir.Node, error) {
	if err != nil {
		return nil, err
	}
	if len(branch.inputs) > 0 || len(p.out) > len(branch.outputs) {
		return nil, fmt.Errorf("graph %s: %d inputs and %d outputs do not fit an If of %d outputs", branch.name, len(branch.inputs), len(branch.outputs), len(p.out))
	}
	inner := s.inside()
	if err := r.initializers(branch, inner); err != nil {
		return nil, fmt.Errorf("graph %s: %w", branch.name, err)
	}
	nodes, err := r.nodes(branch, inner)
	if err != nil {
		return nil, fmt.Errorf("graph %s: %w", branch.name, err)
	}
	for i, name := range p.out {
		if name == "" {
			continue
		}
		v, err := inner.input(branch.outputs[i].name)
		if err == nil && v == nil {
			err = fmt.Errorf("graph %s: output %d is not defined", branch.name, i)
		}
		if err == nil {
			err = s.alias(name, v)
		}
		if err != nil {
			return nil, err
		}
	}
	return nodes, nil
}
