package program

import (
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// Regular is a copy of the classifier with the same values, and with a gradient of 0 where that of a square root or of a power below 1 is
// infinite, at 0. There the product with a gradient of 0 further back would not be a number, and would hide the gradient that reaches a pixel
// by other ways.
func (c Classifier) Regular() (Classifier, error) {
	found := false
	c.Walk(func(n *ir.Node) { found = found || singular(n) })
	if !found {
		return c, nil
	}
	b := op.NewB(c.Name)
	m := map[*ir.Value]*ir.Value{c.Inputs[0]: b.Input(c.Inputs[0].Name, ir.Float32, c.Inputs[0].Shape...)}
	of := func(v *ir.Value) *ir.Value {
		if w := m[v]; w != nil {
			return w
		}
		return v
	}
	for _, n := range c.Nodes {
		one := &ir.Graph{Name: n.Name, Opset: c.Opset, Nodes: []*ir.Node{n}, Outputs: wanted(n.Out)}
		var args []*ir.Value
		for _, v := range n.In {
			if v != nil && !v.IsConst() && one.Input(v.Name) == nil {
				one.Inputs, args = append(one.Inputs, v), append(args, of(v))
			}
		}
		for _, v := range op.Captured(n) {
			if one.Input(v.Name) == nil {
				one.Inputs, args = append(one.Inputs, v), append(args, of(v))
			}
		}
		if singular(n) {
			x := of(n.In[0])
			b.In(n.Name, func() {
				zero := b.Equal(x, b.Float(x, 0))
				args[0] = b.Where(zero, b.Float(x, 1), x)
				y := op.Inline(b, one, args)[0]
				m[n.Out[0]] = b.Where(zero, b.Float(x, 0), y)
			})
			continue
		}
		for i, v := range op.Inline(b, one, args) {
			m[one.Outputs[i]] = v
		}
		if b.Err() != nil {
			break
		}
	}
	b.Output(b.Free(c.Outputs[0].Name), of(c.Outputs[0]))
	g, err := b.Build()
	return Classifier{g}, err
}

func wanted(values []*ir.Value) (out []*ir.Value) {
	for _, v := range values {
		if v != nil {
			out = append(out, v)
		}
	}
	return out
}

// singular reports whether n is a square root or a power below 1 of something that can be 0: not of a sum with a positive constant, as in
// normalisations.
func singular(n *ir.Node) bool {
	if n.Domain != "" || n.Op != "Sqrt" && n.Op != "Pow" || n.In[0].IsConst() {
		return false
	}
	if n.Op == "Pow" {
		if p := n.In[1]; !p.IsNumber() || p.Const.Float64At(0) <= 0 || p.Const.Float64At(0) >= 1 {
			return false
		}
	}
	if sum := ir.DefinedBy(n.In[0], "Add"); sum != nil {
		for _, v := range sum.In {
			if v.IsNumber() && v.Const.Float64At(0) > 0 {
				return false
			}
		}
	}
	return true
}
