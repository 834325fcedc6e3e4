package pass

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// cse keeps the first of several nodes with equal operator, attributes and inputs, and of several constants with equal
// content. A nested graph uses results of the graphs around it, but keeps its own constants: see ir.Graph.Constants.
func cse(g *ir.Graph) error {
	m := &merger{
		fixed: ir.GivenOut(g), private: op.Private(g), same: map[*ir.Value]*ir.Value{}, ids: map[*ir.Value]int64{},
		contents: map[string][]content{}, seed: maphash.MakeSeed(),
	}
	m.graph(g, nil)
	return nil
}

// merger numbers values so that two have one number exactly if they are known to be equal.
type merger struct {
	fixed    map[*ir.Value]bool
	private  map[*ir.Value]bool
	same     map[*ir.Value]*ir.Value
	ids      map[*ir.Value]int64
	next     int64
	contents map[string][]content
	seed     maphash.Seed
	key      []byte
}

type content struct {
	data *tensor.Tensor
	id   int64
}

// scope holds what a graph has computed so far; lookups of nodes continue in the graph around it.
type scope struct {
	outer  *scope
	nodes  map[string]*ir.Node
	consts map[int64]*ir.Value
}

func (s *scope) find(key []byte) (n *ir.Node, local bool) {
	for at := s; at != nil; at = at.outer {
		if n := at.nodes[string(key)]; n != nil {
			return n, at == s
		}
	}
	return nil, false
}

func (m *merger) graph(g *ir.Graph, outer *scope) {
	s := &scope{outer: outer, nodes: make(map[string]*ir.Node, len(g.Nodes)), consts: map[int64]*ir.Value{}}
	filter(g, func(n *ir.Node) bool {
		swap(n.In, m.same)
		for i, v := range n.In {
			if v.IsConst() {
				n.In[i] = m.constant(v, s)
			}
		}
		if subs := n.Graphs(); len(subs) > 0 {
			for _, sub := range subs {
				m.graph(sub, s)
			}
			return true
		}
		if op.Random(n) || slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return m.private[v] }) {
			return true
		}
		key := m.nodeKey(n)
		first, local := s.find(key)
		if first == nil {
			s.nodes[string(key)] = n
			return true
		}
		return !m.merge(n, first, local)
	})
}

// merge makes the outputs of n uses of those of first. It reports whether n is to go: an output of a graph stays as a
// copy, and keeps n.
func (m *merger) merge(n, first *ir.Node, local bool) bool {
	kept := slices.ContainsFunc(n.Out, func(v *ir.Value) bool { return m.fixed[v] })
	missing := false
	for i, v := range n.Out {
		missing = missing || v != nil && first.Output(i) == nil
	}
	if kept && (len(n.Out) > 1 || n.Op == "Identity" || missing) || missing && !local {
		return false
	}
	for len(first.Out) < len(n.Out) {
		first.Out = append(first.Out, nil)
	}
	for i, v := range n.Out {
		switch {
		case v == nil:
		case first.Out[i] == nil:
			first.Out[i], v.Def = v, first
		default:
			m.same[v] = first.Out[i]
		}
	}
	if kept {
		copyOf(n, first.Out[0])
	}
	return !kept
}

// constant is the first constant of the scope with the content of v.
func (m *merger) constant(v *ir.Value, s *scope) *ir.Value {
	id, ok := m.ids[v]
	if !ok {
		id = m.contentID(v.Const)
		m.ids[v] = id
	}
	if first := s.consts[id]; first != nil {
		return first
	}
	s.consts[id] = v
	return v
}

func (m *merger) contentID(t *tensor.Tensor) int64 {
	key := m.tensorKey(nil, t)
	for _, c := range m.contents[string(key)] {
		if tensor.Equal(c.data, t) {
			return c.id
		}
	}
	m.next++
	m.contents[string(key)] = append(m.contents[string(key)], content{t, m.next})
	return m.next
}

// tensorKey appends type, shape and a hash of the content of t.
func (m *merger) tensorKey(key []byte, t *tensor.Tensor) []byte {
	key = append(key, byte(t.DType()))
	key = appendInts(key, t.Shape)
	if t.DType() == tensor.String {
		return key
	}
	return binary.LittleEndian.AppendUint64(key, maphash.Bytes(m.seed, tensor.Bytes(t)))
}

func (m *merger) id(v *ir.Value) int64 {
	if v == nil {
		return 0
	}
	id, ok := m.ids[v]
	if !ok {
		m.next++
		id = m.next
		m.ids[v] = id
	}
	return id
}

// nodeKey spells operator, attributes and inputs of n; it is valid until the next call. The number of outputs belongs
// to the meaning of an operator that may have any number of them.
func (m *merger) nodeKey(n *ir.Node) []byte {
	key := appendString(appendString(m.key[:0], n.Domain), n.Op)
	if row := op.Lookup(n.Domain, n.Op); row == nil || row.Out.Max < 0 {
		key = binary.AppendVarint(key, int64(len(n.Out)))
	}
	ids := make([]int64, len(n.In))
	for i, v := range n.In {
		ids[i] = m.id(v)
	}
	if n.Domain == "" && (n.Op == "Add" || n.Op == "Mul") {
		slices.Sort(ids)
	}
	key = appendInts(key, ids)
	if len(n.Attrs) > 0 {
		for _, name := range n.Attrs.Names() {
			key = m.attrKey(appendString(key, name), n.Attrs[name])
		}
	}
	m.key = key
	return key
}

func (m *merger) attrKey(key []byte, value any) []byte {
	switch a := value.(type) {
	case int64:
		return binary.AppendVarint(append(key, 'i'), a)
	case float32:
		return binary.LittleEndian.AppendUint32(append(key, 'f'), math.Float32bits(a))
	case string:
		return appendString(append(key, 's'), a)
	case []int64:
		return appendInts(append(key, 'I'), a)
	case []float32:
		key = binary.AppendVarint(append(key, 'F'), int64(len(a)))
		for _, x := range a {
			key = binary.LittleEndian.AppendUint32(key, math.Float32bits(x))
		}
		return key
	case []string:
		key = binary.AppendVarint(append(key, 'S'), int64(len(a)))
		for _, x := range a {
			key = appendString(key, x)
		}
		return key
	case *tensor.Tensor:
		return binary.AppendVarint(append(key, 't'), m.contentID(a))
	}
	panic("pass: attribute of unknown kind")
}

func appendString(key []byte, s string) []byte {
	return append(binary.AppendVarint(key, int64(len(s))), s...)
}

func appendInts(key []byte, values []int64) []byte {
	key = binary.AppendVarint(key, int64(len(values)))
	for _, v := range values {
		key = binary.AppendVarint(key, v)
	}
	return key
}
