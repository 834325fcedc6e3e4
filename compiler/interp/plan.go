package interp

import (
	"fmt"
	"slices"
	"strings"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// plan is the execution order of one graph.
type plan struct {
	graph *ir.Graph
	steps []step
}

// step is one node, the plans of its nested graphs, and the values that nobody needs after it.
type step struct {
	node   *ir.Node
	kernel kernel
	sub    []*plan
	drop   []*ir.Value
}

// Compile verifies g and finds the kernel of every operator. g must not change afterwards.
func Compile(g *ir.Graph) (*Program, error) {
	if err := op.Verify(g); err != nil {
		return nil, fmt.Errorf("interpreter: %w", err)
	}
	p := &Program{consts: map[*ir.Value]*array{}}
	var err error
	if p.main, err = p.plan(g); err != nil {
		return nil, fmt.Errorf("interpreter: graph %s: %w", g.Name, err)
	}
	return p, nil
}

func (p *Program) plan(g *ir.Graph) (*plan, error) {
	out := &plan{graph: g}
	last := map[*ir.Value]int{}
	for i, n := range g.Nodes {
		s := step{node: n, kernel: kernels[n.Domain+":"+n.Op]}
		if s.kernel == nil {
			var err error
			if s, err = p.decomposed(n); err != nil {
				return nil, err
			}
		}
		for _, sub := range n.Graphs() {
			body, err := p.plan(sub)
			if err != nil {
				return nil, err
			}
			s.sub = append(s.sub, body)
		}
		out.steps = append(out.steps, s)
		visit(n, func(v *ir.Value) { last[v] = i })
		for _, v := range n.In {
			if err := p.constant(v); err != nil {
				return nil, err
			}
		}
	}
	for _, v := range g.Outputs {
		if err := p.constant(v); err != nil {
			return nil, err
		}
		delete(last, v)
	}
	for i, n := range g.Nodes {
		for _, v := range n.Out {
			if at, ok := last[v]; ok && v != nil {
				out.steps[at].drop = append(out.steps[at].drop, v)
			} else if v != nil && !slices.Contains(g.Outputs, v) {
				out.steps[i].drop = append(out.steps[i].drop, v)
			}
		}
	}
	return out, nil
}

// decomposed is the step that runs the decomposition of n in place of n.
func (p *Program) decomposed(n *ir.Node) (step, error) {
	g, args, err := op.Body(n)
	if err != nil {
		return step{}, err
	}
	body, err := p.plan(g)
	return step{node: n, sub: []*plan{body}, kernel: func(c *call) ([]*array, error) {
		f := &frame{values: map[*ir.Value]*array{}, consts: c.frame.consts}
		for i, v := range args {
			f.values[g.Inputs[i]] = c.frame.get(v)
		}
		results, err := c.sub[0].run(f)
		if err != nil {
			return nil, err
		}
		out := make([]*array, len(n.Out))
		for i, v := range n.Out {
			if v != nil {
				out[i], results = results[0], results[1:]
			}
		}
		return out, nil
	}}, err
}

// visit calls f for every value that n uses, itself or in nested graphs.
func visit(n *ir.Node, f func(*ir.Value)) {
	for _, v := range n.In {
		f(v)
	}
	for _, g := range n.Graphs() {
		for _, sub := range g.Nodes {
			visit(sub, f)
		}
		for _, v := range g.Outputs {
			f(v)
		}
	}
}

func (p *Program) constant(v *ir.Value) error {
	if !v.IsConst() || p.consts[v] != nil {
		return nil
	}
	a, err := fromTensor(v.Const)
	if err != nil {
		return fmt.Errorf("constant %s: %w", v.Name, err)
	}
	p.consts[v] = a
	return nil
}

// run executes the steps in order and returns the outputs of the graph.
func (p *plan) run(f *frame) ([]*array, error) {
	for i := range p.steps {
		s := &p.steps[i]
		if err := s.run(f); err != nil {
			shapes := make([]string, len(s.node.In))
			for j, v := range s.node.In {
				shapes[j] = "-"
				if a := f.get(v); a != nil {
					shapes[j] = a.dtype.String() + ir.Shape(a.shape).String()
				}
			}
			return nil, fmt.Errorf("node %s: %s(%s): %w", s.node.Name, s.node.Op, strings.Join(shapes, ", "), err)
		}
		for _, v := range s.drop {
			delete(f.values, v)
		}
	}
	out := make([]*array, len(p.graph.Outputs))
	for i, v := range p.graph.Outputs {
		out[i] = f.get(v)
	}
	return out, nil
}

func (s *step) run(f *frame) error {
	c := &call{Node: s.node, in: make([]*array, len(s.node.In)), sub: s.sub, frame: f}
	for i, v := range s.node.In {
		c.in[i] = f.get(v)
	}
	results, err := s.kernel(c)
	if err != nil {
		return err
	}
	for i, v := range s.node.Out {
		if v == nil {
			continue
		}
		if i >= len(results) {
			return fmt.Errorf("output %d is not computed", i)
		}
		if err := conform(v, results[i]); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
		f.values[v] = results[i]
	}
	return nil
}
