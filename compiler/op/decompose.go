package op

import (
	"errors"
	"fmt"

	"rnas/compiler/ir"
)

// Decomposition appends nodes of simpler operators that compute the outputs of n and returns these in order, nil for outputs that
// are absent. The inputs of n have types and shapes. An operator with a decomposition needs no gradient rule and no kernel of the
// interpreter, and files of operator sets that lack the operator get the simpler ones.
type Decomposition func(b B, n *ir.Node) []*ir.Value

// Body is the decomposition of n as a graph of its own. Its inputs are the inputs of n that are not constant, each once, in order
// of first use, followed by the values around n that nested graphs of n use. Its outputs are those of n that are wanted.
func Body(n *ir.Node) (g *ir.Graph, args []*ir.Value, err error) {
	row := Lookup(n.Domain, n.Op)
	if row == nil || row.Decompose == nil {
		return nil, nil, fmt.Errorf("node %s: operator %s has no decomposition", n.Name, qualified(n))
	}
	b := NewB(n.Name)
	for _, v := range n.In {
		if v.IsConst() {
			b.Take(v.Name)
		}
	}
	trial := *n
	trial.In = make([]*ir.Value, len(n.In))
	inner := map[*ir.Value]*ir.Value{}
	for i, v := range n.In {
		if v == nil || v.IsConst() {
			trial.In[i] = v
			continue
		}
		if inner[v] == nil {
			inner[v] = b.Input(fmt.Sprintf("argument%d", i), v.Type, v.Shape...)
			args = append(args, v)
		}
		trial.In[i] = inner[v]
	}
	around := map[*ir.Value]*ir.Value{}
	for i, v := range Captured(n) {
		if inner[v] == nil {
			inner[v] = b.Input(fmt.Sprintf("captured%d", i), v.Type, v.Shape...)
			args = append(args, v)
		}
		around[v] = inner[v]
	}
	for i, v := range row.Decompose(b, &trial) {
		if b.Err() == nil && i < len(n.Out) && n.Out[i] != nil {
			b.Output(fmt.Sprintf("result%d", i), v)
		}
	}
	if err := b.Err(); err != nil {
		return nil, nil, errors.Unwrap(err) // without the place in this module
	}
	b.Graph().Replace(around)
	g, err = b.Build()
	return g, args, err
}

// Captured lists the values around n that its nested graphs use, in order of first use, without constants.
func Captured(n *ir.Node) []*ir.Value {
	own, seen := map[*ir.Value]bool{}, map[*ir.Value]bool{}
	var out []*ir.Value
	var visit func(g *ir.Graph)
	use := func(values []*ir.Value) {
		for _, v := range values {
			if v != nil && !v.IsConst() && !own[v] && !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		}
	}
	visit = func(g *ir.Graph) {
		for _, v := range g.Inputs {
			own[v] = true
		}
		for _, m := range g.Nodes {
			use(m.In)
			for _, sub := range m.Graphs() {
				visit(sub)
			}
			for _, v := range m.Out {
				own[v] = true
			}
		}
		use(g.Outputs)
	}
	for _, g := range n.Graphs() {
		visit(g)
	}
	return out
}

// Since is the operator set that introduced n as it is, 0 if every file has it or the operator is not known.
func Since(n *ir.Node) int {
	row := Lookup(n.Domain, n.Op)
	if row == nil {
		return 0
	}
	since := row.Since
	if row.SinceOf != nil {
		since = max(since, row.SinceOf(n))
	}
	return since
}

// byDecomposition infers types and shapes of the outputs from those of the decomposition.
func byDecomposition(c *Ctx) error {
	g, _, err := Body(c.Node)
	if err != nil {
		return err
	}
	k := 0
	for i, v := range c.Out {
		if v == nil {
			continue
		}
		if err := c.Set(i, g.Outputs[k].Type, g.Outputs[k].Shape...); err != nil {
			return err
		}
		k++
	}
	return nil
}
