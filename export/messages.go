package export

import (
	"fmt"

	"rnas/compiler/ir"
)

// The structs below are ONNX's messages, decoded without interpretation. Tensors stay spans of the file until they are
// used.

type modelProto struct {
	irVersion int64
	graph     *graphProto
	opsets    map[string]int64
	meta      map[string]string
	functions []*functionProto
}

type graphProto struct {
	name         string
	nodes        []*nodeProto
	initializers []initializer
	sparse       []sparseInitializer
	inputs       []*valueProto
	outputs      []*valueProto
}

// initializer is a tensor that is not decoded beyond its name.
type initializer struct {
	name string
	span
}

type nodeProto struct {
	name, op, domain, overload string
	in, out                    []string
	attrs                      map[string]any // as ir.Attrs, but *graphProto for graphs, and reference
}

// title names a node in error messages; nodes without a name go by their first output.
func (n *nodeProto) title() string {
	name := n.name
	if name == "" && len(n.out) > 0 {
		name = n.out[0]
	}
	return fmt.Sprintf("node %s (%s)", name, n.op)
}

// label is what names in a function are prefixed with where n calls it.
func (n *nodeProto) label() string {
	if n.name == "" {
		return n.op
	}
	return n.name
}

// valueProto is a ValueInfoProto of a tensor. typ is Undefined and dims nil where the file does not say.
type valueProto struct {
	name string
	typ  ir.DType
	dims []dimension
}

// dimension is a size, or a name where the size is negative.
type dimension struct {
	size int64
	name string
}
