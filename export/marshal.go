package export

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// Options says how Marshal and WriteFile write a graph.
type Options struct {
	Producer        string // producer_name; "" means "rnas"
	ProducerVersion string
	ModelVersion    int64
	Doc             string
	Opset           int  // operator set of the file, 13 to 27; 0 is that of the graph, or what its operators need
	ValueInfo       bool // write types and shapes of intermediate values too
	// ExternalOver is the number of bytes above which WriteFile keeps tensors in a second file; 0 is the 2 GiB that
	// protobuf can hold.
	ExternalOver int64
}

// Marshal encodes g as an ONNX model (https://onnx.ai/onnx/repo-docs/IR.html). Equal graphs and options give equal
// bytes. The symbolic dimension ir.N becomes the dimension parameter "N". A constant becomes an initializer of each
// graph, outer or nested, whose nodes use it; only the first of these initializers keeps the name.
//
// Errors: a graph that ir.Verify rejects, an operator that is not in the operator set of o, an unknown domain, and 2
// GiB or more of data, which protobuf cannot hold.
func Marshal(g *ir.Graph, o Options) ([]byte, error) {
	m, err := encode(g, o, nil)
	if err != nil {
		return nil, fmt.Errorf("onnx: graph %s: %w", g.Name, err)
	}
	return m.concat(), nil
}

// errTooLarge marks a model that does not fit into one file.
var errTooLarge = errors.New("protobuf holds less than 2 GiB (2147483648 bytes)")

// encode makes the message of a model; the larger tensors go into data if there is one.
func encode(g *ir.Graph, o Options, data *dataFile) (*message, error) {
	if err := ir.Verify(g); err != nil {
		return nil, err
	}
	if o.Opset == 0 {
		o.Opset = Oldest(g)
	}
	if g.Opset == canonical || o.Opset != g.Opset {
		var err error
		if g, err = convert(g, o.Opset); err != nil {
			return nil, err
		}
	}
	if g.Opset < oldestWrite || g.Opset > newestOpset {
		return nil, fmt.Errorf("operator set %d: expected %d to %d", g.Opset, oldestWrite, newestOpset)
	}
	if o.Producer == "" {
		o.Producer = "rnas"
	}
	domains, err := domainsOf(g)
	if err != nil {
		return nil, err
	}
	e := &encoder{names: namesOf(g), written: map[*ir.Value]bool{}, valueInfo: o.ValueInfo, data: data}
	body, err := e.graph(g)
	if err != nil {
		return nil, err
	}
	m := &message{}
	m.int(modelIRVersion, irVersion(g.Opset))
	m.string(modelProducer, o.Producer)
	m.optional(modelProducerVersion, o.ProducerVersion)
	if o.ModelVersion != 0 {
		m.int(modelVersion, o.ModelVersion)
	}
	m.optional(modelDoc, o.Doc)
	m.sub(modelGraph, body)
	m.sub(modelOpsetImport, opsetImport("", int64(g.Opset)))
	for _, d := range domains {
		m.sub(modelOpsetImport, opsetImport(d, domainVersions[d]))
	}
	for _, key := range sortedKeys(g.Meta) {
		entry := &message{}
		entry.string(entryKey, key)
		entry.string(entryValue, g.Meta[key])
		m.sub(modelMetadata, entry)
	}
	if m.len() > math.MaxInt32 {
		return nil, fmt.Errorf("model of %d bytes: %w", m.len(), errTooLarge)
	}
	return m, nil
}

// Oldest is the operator set of g, or the oldest one above it that has all operators of g, or what they decompose to, for the types that
// they are used with.
func Oldest(g *ir.Graph) int {
	opset := g.Opset
	g.Walk(func(n *ir.Node) {
		if row := op.Lookup(n.Domain, n.Op); row != nil && row.Decompose == nil {
			opset = max(opset, row.Since)
		}
		if since, _ := typesSince(n); n.Domain == "" {
			opset = max(opset, since)
		}
	})
	return opset
}

func opsetImport(domain string, version int64) *message {
	m := &message{}
	m.string(opsetDomain, domain)
	m.int(opsetVersion, version)
	return m
}

// domainsOf lists the domains beside the standard one, sorted.
func domainsOf(g *ir.Graph) ([]string, error) {
	used := map[string]bool{}
	var err error
	g.Walk(func(n *ir.Node) {
		if _, ok := domainVersions[n.Domain]; !ok && n.Domain != "" && err == nil {
			err = fmt.Errorf("node %s (%s): unknown operator domain %q", n.Name, n.Op, n.Domain)
		}
		if n.Domain != "" {
			used[n.Domain] = true
		}
	})
	return sortedKeys(used), err
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// encoder turns graphs into messages. names holds every name that is taken anywhere, written the constants that own
// their name already.
type encoder struct {
	names     names
	written   map[*ir.Value]bool
	valueInfo bool
	data      *dataFile
}

// local maps the constants of one graph to their names in it.
type local map[*ir.Value]string

func (l local) name(v *ir.Value) string {
	if v == nil {
		return ""
	}
	if name, ok := l[v]; ok {
		return name
	}
	return v.Name
}

// localNames chooses the names under which g itself holds its constants.
func (e *encoder) localNames(g *ir.Graph) local {
	names := local{}
	for _, v := range g.Constants() {
		if !e.written[v] {
			e.written[v] = true
			continue
		}
		names[v] = e.names.fresh(v.Name)
	}
	return names
}

// graph encodes g with the constants that its own nodes and outputs use.
func (e *encoder) graph(g *ir.Graph) (*message, error) {
	names := e.localNames(g)
	m := &message{}
	for _, n := range g.Nodes {
		s, err := e.node(n, names)
		if err != nil {
			return nil, fmt.Errorf("node %s (%s): %w", n.Name, n.Op, err)
		}
		m.sub(graphNode, s)
	}
	m.string(graphName, g.Name)
	for _, v := range g.Constants() {
		m.sub(graphInitializer, encodeTensor(v.Const, names.name(v), e.data))
	}
	for _, v := range g.Inputs {
		m.sub(graphInput, valueInfo(v, v.Name))
	}
	listed := map[*ir.Value]bool{}
	for _, v := range g.Outputs {
		if listed[v] {
			return nil, fmt.Errorf("output %q is listed twice", v.Name)
		}
		listed[v] = true
		m.sub(graphOutput, valueInfo(v, names.name(v)))
	}
	if e.valueInfo {
		for _, n := range g.Nodes {
			for _, v := range n.Out {
				if v != nil && !listed[v] {
					m.sub(graphValueInfo, valueInfo(v, v.Name))
				}
			}
		}
	}
	return m, nil
}

func (e *encoder) node(n *ir.Node, names local) (*message, error) {
	m := &message{}
	for _, v := range n.In {
		m.string(nodeInput, names.name(v))
	}
	for _, v := range n.Out {
		m.string(nodeOutput, names.name(v))
	}
	m.optional(nodeName, n.Name)
	m.string(nodeOp, n.Op)
	for _, name := range n.Attrs.Names() {
		a, err := e.attribute(name, n.Attrs[name])
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", name, err)
		}
		m.sub(nodeAttribute, a)
	}
	m.optional(nodeDomain, n.Domain)
	return m, nil
}

func (e *encoder) attribute(name string, value any) (*message, error) {
	m := &message{}
	m.string(attrName, name)
	kind := int64(0)
	switch a := value.(type) {
	case float32:
		kind = kindFloat
		m.fixed32(attrFloat, math.Float32bits(a))
	case int64:
		kind = kindInt
		m.int(attrInt, a)
	case string:
		kind = kindString
		m.string(attrString, a)
	case *tensor.Tensor:
		kind = kindTensor
		m.sub(attrTensor, encodeTensor(a, "", nil))
	case *ir.Graph:
		kind = kindGraph
		s, err := e.graph(a)
		if err != nil {
			return nil, err
		}
		m.sub(attrGraph, s)
	case []float32:
		kind = kindFloats
		for _, f := range a {
			m.fixed32(attrFloats, math.Float32bits(f))
		}
	case []int64:
		kind = kindInts
		for _, i := range a {
			m.int(attrInts, i)
		}
	case []string:
		kind = kindStrings
		for _, s := range a {
			m.string(attrStrings, s)
		}
	default:
		return nil, fmt.Errorf("%T is no attribute type", value)
	}
	m.int(attrType, kind)
	return m, nil
}
