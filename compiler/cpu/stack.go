package cpu

import (
	"fmt"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
)

// Stack lays out the parameters that a Split hands out, many at a time: parts of equal length that go through equal
// Reshape, Transpose, Slice and Neg operators before they are used go through them as one tensor. A network of hundreds of small
// kernels otherwise has thousands of such operators, each of which takes longer to load and to start than to run.
var Stack = pass.Pass{
	Name:  "stack",
	Why:   "parameters of equal shape are laid out by one operator for all",
	After: []pass.Need{{Pass: "nchwc", Why: "most of what is laid out is in NCHWc"}, {Pass: "cse", Why: "a part that is laid out twice is stacked once"}},
	Run: func(g *ir.Graph) error {
		s := &stacker{fixed: ir.GivenOut(g), private: op.Private(g), routes: map[*ir.Value]*route{}, keys: map[string]int{}}
		return s.run(g)
	},
}

// minStack is the number of parts from which a stack has fewer operators than they have.
const minStack = 4

// stacker follows the parts of every Split of a graph.
type stacker struct {
	fixed, private map[*ir.Value]bool
	routes         map[*ir.Value]*route
	keys           map[string]int // numbers of routes by spelling
}

// route is the way of a value from a part of a Split: the Split, the part, and the nodes in between. Two values with equal keys
// have come by equal operators from parts of the same Split and of equal shape.
type route struct {
	split *ir.Node
	part  *ir.Value
	nodes []*ir.Node
	key   int
}

// stack is a set of values with equal routes.
type stack struct {
	routes []*route
	ends   []*ir.Value
}

func (s *stacker) run(g *ir.Graph) error {
	byKey := map[int]*stack{}
	bySplit := map[*ir.Node][]*stack{}
	for _, v := range s.ends(g) {
		r := s.routes[v]
		t := byKey[r.key]
		if t == nil {
			t = &stack{}
			byKey[r.key] = t
			bySplit[r.split] = append(bySplit[r.split], t)
		}
		t.routes, t.ends = append(t.routes, r), append(t.ends, v)
	}
	b := op.Extend(g)
	nodes := g.Nodes
	g.Nodes = make([]*ir.Node, 0, len(nodes))
	same := map[*ir.Value]*ir.Value{}
	for _, n := range nodes {
		g.Nodes = append(g.Nodes, n)
		for _, t := range bySplit[n] {
			if len(t.ends) >= minStack {
				t.build(b, same)
			}
		}
	}
	if err := b.Err(); err != nil {
		return err
	}
	g.Replace(same)
	return pass.Dead.Run(g)
}

// ends lists the values that end a route: those with a route of at least one node that something else than a further node of a
// route uses.
func (s *stacker) ends(g *ir.Graph) []*ir.Value {
	var ends []*ir.Value
	seen := map[*ir.Value]bool{}
	use := func(values []*ir.Value) {
		for _, v := range values {
			if r := s.routes[v]; r != nil && len(r.nodes) > 0 && !seen[v] {
				seen[v] = true
				ends = append(ends, v)
			}
		}
	}
	for _, n := range g.Nodes {
		if n.Op == "Split" && n.Domain == "" && n.In[0].Rank() == 1 {
			for _, v := range n.Out {
				s.enter(&route{split: n, part: v}, v, "")
			}
			continue
		}
		if s.follow(n) {
			continue
		}
		use(n.In)
		for _, sub := range n.Graphs() {
			sub.Walk(func(n *ir.Node) { use(n.In) })
			ir.Each(sub, func(g *ir.Graph) { use(g.Outputs) })
		}
	}
	return ends
}

// enter records r as the route of v and numbers its spelling: what came before and how it goes on.
func (s *stacker) enter(r *route, v *ir.Value, how string) {
	if v == nil {
		return
	}
	from := ""
	if len(r.nodes) == 0 {
		from = r.split.Out[0].Name
	}
	key := fmt.Sprintf("%d %q %v %s", r.key, from, v.Shape, how)
	if s.keys[key] == 0 {
		s.keys[key] = len(s.keys) + 1
	}
	r.key = s.keys[key]
	s.routes[v] = r
}

// follow extends a route by n and reports whether it could.
func (s *stacker) follow(n *ir.Node) bool {
	if n.Domain != "" || len(n.In) == 0 {
		return false
	}
	r, out := s.routes[n.In[0]], n.Out[0]
	if r == nil || s.fixed[out] || s.private[out] || out.Rank() == 0 || !out.Shape.Static() || out.Shape.Numel() == 0 {
		return false
	}
	var how []int64
	switch n.Op {
	case "Reshape", "Neg":
	case "Transpose":
		perm, err := op.Perm(n)
		if err != nil {
			return false
		}
		for _, p := range perm {
			how = append(how, int64(p))
		}
	case "Slice":
		ranges, err := op.SliceRanges(n)
		if err != nil {
			return false
		}
		for _, x := range ranges {
			how = append(how, x.Start, x.Step, x.Count)
		}
	default:
		return false
	}
	next := &route{split: r.split, part: r.part, nodes: append(slices.Clone(r.nodes), n), key: r.key}
	s.enter(next, out, fmt.Sprint(n.Op, how))
	return true
}

// build makes the operators of t for all its parts at once, with one more dimension in front, and maps the ends of t to the
// results.
func (t *stack) build(b op.B, same map[*ir.Value]*ir.Value) {
	k := int64(len(t.ends))
	parts := make([]*ir.Value, k)
	for i, r := range t.routes {
		parts[i] = r.part
	}
	b.In("parameters", func() {
		behind := func(shape ir.Shape) []int64 { return append([]int64{k}, shape...) }
		v := b.Concat(0, parts...)
		if t.routes[0].nodes[0].Op != "Reshape" {
			v = b.Reshape(v, behind(parts[0].Shape)...)
		}
		for _, n := range t.routes[0].nodes {
			switch n.Op {
			case "Reshape":
				v = b.Reshape(v, behind(n.Out[0].Shape)...)
			case "Neg":
				v = b.Neg(v)
			case "Transpose":
				perm, _ := op.Perm(n)
				to := []int64{0}
				for _, p := range perm {
					to = append(to, int64(p)+1)
				}
				v = b.Transpose(v, to...)
			case "Slice":
				v = sliceBehind(b, n, v)
			}
		}
		end := t.ends[0].Shape
		sizes := make([]int64, k)
		for i := range sizes {
			sizes[i] = end[0]
		}
		ends := b.Split(b.Reshape(v, append([]int64{k * end[0]}, end[1:]...)...), 0, sizes...)
		for i, v := range t.ends {
			same[v] = ends[i]
		}
	})
}

// sliceBehind takes from v, which has one more dimension in front, what n takes from its input.
func sliceBehind(b op.B, n *ir.Node, v *ir.Value) *ir.Value {
	ranges, _ := op.SliceRanges(n)
	var starts, ends, axes, steps []int64
	for i, r := range ranges {
		d := n.In[0].Shape[i]
		if r == (op.Range{Start: 0, Step: 1, Count: d}) {
			continue
		}
		end := r.Start + r.Step*r.Count
		if end < 0 {
			end = -d - 1 // before the first element
		}
		starts, ends, axes, steps = append(starts, r.Start), append(ends, end), append(axes, int64(i)+1), append(steps, r.Step)
	}
	return b.Slice(v, starts, ends, axes, steps)
}
