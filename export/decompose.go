package export

import (
	"fmt"
	"maps"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// decompose returns simpler nodes with the outputs of n, whose operator the operator set lacks.
func (c *converter) decompose(n *ir.Node, since int) ([]*ir.Node, error) {
	row := op.Lookup(n.Domain, n.Op)
	if row.Decompose == nil {
		what := "operator"
		if row.Since < since {
			what = "form of the operator"
		}
		return nil, fmt.Errorf("operator set %d: the %s exists since %d", c.opset, what, since)
	}
	if c.builder.Builder == nil {
		scratch := *c.source
		scratch.Nodes = slices.Clone(scratch.Nodes)
		c.builder = op.Extend(&scratch)
	}
	b := c.builder
	from := len(b.Graph().Nodes)
	var results []*ir.Value
	b.In(n.Name, func() {
		results = row.Decompose(b, n)
		for i, v := range n.Out {
			if v == nil {
				continue
			}
			// A result that has another name already, or is given twice, is copied.
			if b.Err() == nil && (slices.Contains(results[:i], results[i]) || !makes(b.Graph().Nodes[from:], results[i])) {
				results[i] = b.Identity(results[i])
			}
		}
	})
	if b.Err() != nil {
		return nil, b.Err()
	}
	nodes := slices.Clone(b.Graph().Nodes[from:])
	named := map[*ir.Value]*ir.Value{}
	for i, v := range n.Out {
		if v != nil {
			named[results[i]] = v
		}
	}
	for k, made := range nodes {
		for _, v := range slices.Concat(made.In, made.Out) {
			if v != nil {
				c.names[v.Name] = 1
			}
		}
		nodes[k] = &ir.Node{Name: made.Name, Op: made.Op, Attrs: maps.Clone(made.Attrs), In: swap(named, made.In), Out: swap(named, made.Out)}
	}
	return nodes, nil
}

func makes(nodes []*ir.Node, v *ir.Value) bool {
	return slices.ContainsFunc(nodes, func(n *ir.Node) bool { return slices.Contains(n.Out, v) })
}

// swap copies values with the keys of named replaced.
func swap(named map[*ir.Value]*ir.Value, values []*ir.Value) []*ir.Value {
	out := slices.Clone(values)
	for i, v := range out {
		if to := named[v]; to != nil {
			out[i] = to
		}
	}
	return out
}
