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

// cse keeps the first of several nodes with equal operator, attributes and inputs, and the first of several constants with equal
// content. A nested graph uses results of the graphs around it but keeps its own constants; ir.Graph.Constants says why.
func cse(g *ir.Graph) error {
	m := &merger{
		fixed: ir.GivenOut(g), private: op.Private(g), same: map[*ir.Value]*ir.Value{}, ids: map[*ir.Value]int64{},
		contents: map[string][]content{}, seed: maphash.MakeSeed(),
	}
	m.graph(g, nil)
	return nil
}

// merger numbers values. Two values have one number exactly if they are known to be equal.
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

// content is the data of a constant and its number.
type content struct {
	data *tensor.Tensor
	id   int64
}

// scope holds what a graph has computed so far. Lookups of nodes continue in the graph around it.
type scope struct {
	outer  *scope
	nodes  map[string]*ir.Node
	consts map[int64]*ir.Value
}

// find returns the node with a key, and whether it is in the graph of s itself.
func (s *scope) find(key []byte) (n *ir.Node, local bool) {
	for at := s; at != nil; at = at.outer {
		if n := at.nodes[string(key)]; n != nil {
			return n, at == s
		}
	}
	return nil, false
}

// graph merges the nodes of g, which lies in the graph of outer.
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

// merge turns uses of the outputs of n into uses of those of first, and reports whether n is to go. An output of a graph stays as
// a copy, which keeps n.
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

// constant returns the first constant of the scope that has the content of v.
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

// contentID is the number of the content of t.
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

// tensorKey appends type, shape and a hash of the content of t to key.
func (m *merger) tensorKey(key []byte, t *tensor.Tensor) []byte {
	key = append(key, byte(t.DType()))
	key = appendInts(key, t.Shape)
	if t.DType() == tensor.String {
		return key
	}
	return binary.LittleEndian.AppendUint64(key, maphash.Bytes(m.seed, tensor.Bytes(t)))
}

// id is the number of v, or 0 for an input that is not given.
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

// nodeKey spells operator, attributes and inputs of n. The key is valid until the next call. Where an operator may have any number
// of outputs, their number is part of its meaning.
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

// attrKey appends an attribute to key.
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
