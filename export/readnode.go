package export

import (
	"fmt"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// node reads p and converts it to the canonical operator set, which may take several nodes, or none for a constant.
func (r *reader) node(p *nodeProto, s *scope) ([]*ir.Node, error) {
	if fn := r.calls[functionKey{p.domain, p.op, p.overload}]; fn != nil {
		return r.call(p, fn, s)
	}
	if p.domain == op.NCHWc {
		return nil, fmt.Errorf("an operator of %s, the layout of one machine that ONNX Runtime writes at the optimisation level \"all\": save the model at the level basic or extended, or use the model that it was made of", p.domain)
	}
	if r.depth > 0 {
		if err := r.memory.take(nodeMemory + nameMemory*int64(len(p.in)+len(p.out))); err != nil {
			return nil, err
		}
	}
	attrs, err := s.resolve(p.attrs)
	if err != nil {
		return nil, err
	}
	if p.domain == "" && p.op == "Constant" {
		return nil, r.constantNode(p, attrs, s)
	}
	n := &ir.Node{Name: p.name, Op: p.op, Domain: p.domain}
	if p.name != "" {
		n.Name = s.prefix + p.name
	}
	for _, name := range p.in {
		v, err := s.input(name)
		if err != nil {
			return nil, err
		}
		n.In = append(n.In, v)
	}
	if branch, err := r.branch(n, attrs); branch != nil || err != nil {
		return r.inline(branch, p, s, err)
	}
	for _, name := range sortedKeys(attrs) {
		value := attrs[name]
		if sub, ok := value.(*graphProto); ok {
			g, err := r.graph(sub, s, bodyInputs(n, p.attrs))
			if err != nil {
				return nil, fmt.Errorf("graph %s: %w", sub.name, err)
			}
			value = g
		}
		set(n, name, value)
	}
	for _, name := range p.out {
		if name == "" {
			n.Out = append(n.Out, nil)
			continue
		}
		v := &ir.Value{Def: n}
		if err := r.define(s, name, v); err != nil {
			return nil, err
		}
		n.Out = append(n.Out, v)
	}
	nodes, err := r.upgrade(n)
	if err != nil {
		return nil, err
	}
	if made, err := r.expand(n); made != nil || err != nil {
		return made, err
	}
	return r.inferred(nodes)
}

// inferred infers the nodes that a node of the file became, and leaves out those whose results are known.
func (r *reader) inferred(nodes []*ir.Node) ([]*ir.Node, error) {
	var kept []*ir.Node
	for _, n := range nodes {
		if r.folds {
			r.constantShape(n)
		}
		if len(r.shapes) > 0 {
			made, err := r.opens(n)
			if err != nil {
				return nil, err
			}
			kept = append(kept, made...)
		}
		if err := r.infer(n); err != nil {
			return nil, err
		}
		if !r.folds || !r.fold(n) {
			kept = append(kept, n)
		}
	}
	return kept, nil
}

// bodyInputs gives the values that the inputs of a body are like. For a Loop they are iteration number, condition and
// carried values, for a Scan the states and one entry of each scanned input.
func bodyInputs(n *ir.Node, attrs map[string]any) []*ir.Value {
	switch {
	case n.Domain != "":
	case n.Op == "Loop" && len(n.In) >= 2:
		return append([]*ir.Value{{Type: ir.Int64}, {Type: ir.Bool}}, n.In[2:]...)
	case n.Op == "Scan":
		scanned, _ := attrs["num_scan_inputs"].(int64)
		axes, _ := attrs["scan_input_axes"].([]int64)
		out := slices.Clone(n.In)
		for i := range out {
			k := i - (len(out) - int(scanned)) // of the scanned inputs
			if k < 0 || scanned < 0 || out[i] == nil {
				continue
			}
			at := int64(0)
			if k < len(axes) {
				at = axes[k]
			}
			axis, err := op.Axis(at, out[i].Rank())
			if err != nil {
				return nil
			}
			out[i] = &ir.Value{Type: out[i].Type, Shape: slices.Delete(out[i].Shape.Clone(), axis, axis+1)}
		}
		return out
	}
	return nil
}

// constantNode turns a Constant node into a constant.
func (r *reader) constantNode(p *nodeProto, attrs map[string]any, s *scope) error {
	if len(p.in) != 0 || len(p.out) != 1 || len(attrs) != 1 {
		return fmt.Errorf("expected 0 inputs, 1 output and 1 attribute, found %d, %d and %d", len(p.in), len(p.out), len(attrs))
	}
	name := sortedKeys(attrs)[0]
	var t *tensor.Tensor
	switch v := attrs[name].(type) {
	case *tensor.Tensor:
		t = v
	case int64:
		t = tensor.Scalar(v)
	case float32:
		t = tensor.Scalar(v)
	case string:
		t = tensor.Scalar(v)
	case []int64:
		t = tensor.Vector(v...)
	case []float32:
		t = tensor.Vector(v...)
	case []string:
		t = tensor.Vector(v...)
	default:
		return fmt.Errorf("attribute %s is not supported", name)
	}
	return r.define(s, p.out[0], constant(t))
}

// constant makes a value that holds t.
func constant(t *tensor.Tensor) *ir.Value {
	return &ir.Value{Type: t.DType(), Shape: t.Shape, Const: t}
}
