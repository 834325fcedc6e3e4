package export

import (
	"github.com/owulveryck/onnx-go"
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/simple"
	gorgonia "gorgonia.org/tensor"
)

// recording is a backend of onnx-go that only writes down what the decoder says. Its nodes are the values of the model;
// before each operation come edges from each of its outputs to each of its inputs.
type recording struct {
	*simple.WeightedDirectedGraph // answers queries that the decoder never makes; it stays empty

	model *onnx.Model
	nodes []*valueNode
	named map[string]*valueNode
	in    []string // inputs of the operation to come
	ops   []operation
}

// operation is one node of the file. in lists the inputs once for each output.
type operation struct {
	onnx.Operation
	in, out []string
}

// valueNode is a value. tensors are those that the decoder set: the declared type and shape first, if there are any,
// and the content last, if it is an initializer.
type valueNode struct {
	id      int64
	name    string
	tensors []gorgonia.Tensor
	all     *recording
}

func newRecording() *recording {
	r := &recording{WeightedDirectedGraph: simple.NewWeightedDirectedGraph(0, 0), named: map[string]*valueNode{}}
	r.model = onnx.NewModel(r)
	return r
}

func (r *recording) NewNode() graph.Node { return &valueNode{id: int64(len(r.nodes)), all: r} }

func (r *recording) AddNode(n graph.Node) { r.nodes = append(r.nodes, n.(*valueNode)) }

func (r *recording) NewWeightedEdge(from, to graph.Node, weight float64) graph.WeightedEdge {
	return simple.WeightedEdge{F: from, T: to, W: weight}
}

func (r *recording) SetWeightedEdge(e graph.WeightedEdge) {
	r.in = append(r.in, e.To().(*valueNode).name)
}

// ApplyOperation ends the description of one node of the file.
func (r *recording) ApplyOperation(o onnx.Operation, outputs ...graph.Node) error {
	op := operation{Operation: o, in: r.in}
	for _, n := range outputs {
		op.out = append(op.out, n.(*valueNode).name)
	}
	r.ops = append(r.ops, op)
	r.in = nil
	return nil
}

func (n *valueNode) ID() int64 { return n.id }

func (n *valueNode) GetName() string { return n.name }

func (n *valueNode) SetName(name string) {
	n.name = name
	n.all.named[name] = n
}

func (n *valueNode) GetTensor() gorgonia.Tensor {
	if len(n.tensors) == 0 {
		return nil
	}
	return n.tensors[len(n.tensors)-1]
}

func (n *valueNode) SetTensor(t gorgonia.Tensor) error {
	n.tensors = append(n.tensors, t)
	return nil
}
