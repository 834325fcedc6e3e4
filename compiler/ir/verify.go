package ir

import "fmt"

// Verify checks the structure of g and its nested graphs: unique names, values defined before use (in the graph or
// one around it), outputs that know their node, declared types, and constants whose data fits. It does not look at
// what operators mean.
func Verify(g *Graph) error {
	v := verifier{names: map[string]bool{}, defined: map[*Value]bool{}, known: map[*Value]bool{}}
	if err := v.graph(g); err != nil {
		return fmt.Errorf("graph %s: %w", g.Name, err)
	}
	return nil
}

type verifier struct {
	names   map[string]bool
	defined map[*Value]bool
	known   map[*Value]bool // constants already checked
}

func (v *verifier) define(x *Value) error {
	if x.Name == "" {
		return fmt.Errorf("value without a name (%s%s)", x.Type, x.Shape)
	}
	if v.names[x.Name] {
		return fmt.Errorf("name %q is used twice", x.Name)
	}
	if x.Type == 0 {
		return fmt.Errorf("value %q has no type", x.Name)
	}
	v.names[x.Name] = true
	v.defined[x] = true
	return nil
}

func (v *verifier) use(x *Value) error {
	if x.IsConst() {
		if v.known[x] {
			return nil
		}
		v.known[x] = true
		if x.Const.DType() != x.Type || !x.Shape.Equal(x.Const.Shape) {
			return fmt.Errorf("constant %s holds %s%v", x, x.Const.DType(), x.Const.Shape)
		}
		return v.define(x)
	}
	if !v.defined[x] {
		return fmt.Errorf("value %s is used before it is defined", x)
	}
	return nil
}

func (v *verifier) graph(g *Graph) error {
	for _, x := range g.Inputs {
		if err := v.define(x); err != nil {
			return err
		}
	}
	for _, n := range g.Nodes {
		for _, x := range n.In {
			if x == nil {
				continue
			}
			if err := v.use(x); err != nil {
				return fmt.Errorf("node %s (%s): %w", n.Name, n.Op, err)
			}
		}
		for _, sub := range n.Graphs() {
			if err := v.graph(sub); err != nil {
				return fmt.Errorf("node %s (%s): graph %s: %w", n.Name, n.Op, sub.Name, err)
			}
		}
		for _, x := range n.Out {
			if x == nil {
				continue
			}
			if x.Def != n {
				return fmt.Errorf("node %s (%s): output %s belongs to another node", n.Name, n.Op, x)
			}
			if err := v.define(x); err != nil {
				return fmt.Errorf("node %s (%s): %w", n.Name, n.Op, err)
			}
		}
	}
	for _, x := range g.Outputs {
		if err := v.use(x); err != nil {
			return fmt.Errorf("output: %w", err)
		}
	}
	return nil
}
