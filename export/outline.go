package export

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// Outline is the interface of a model file and the operators in it. Unlike a graph, an outline can be read of a model
// with unknown operators or types, which is how export/conformance tells the cases that it can run.
type Outline struct {
	Inputs    []string   // that no initializer stands for, in order
	Outputs   []string   // in order
	Operators []Operator // each once, by domain and name; those of nested graphs too
}

// Operator names an operator by domain, "" for the standard one, and name.
type Operator struct{ Domain, Name string }

// ReadOutline reads the outline of an ONNX model. An error names the byte offset.
func ReadOutline(data []byte) (Outline, error) {
	o := outline{}
	err := span{data, 0}.each(func(f field) error {
		if f.num != modelGraph {
			return nil
		}
		return o.graph(f, 0)
	})
	if err != nil {
		return Outline{}, fmt.Errorf("onnx: %w", err)
	}
	o.Inputs = slices.DeleteFunc(o.Inputs, func(name string) bool { return slices.Contains(o.initializers, name) })
	slices.SortFunc(o.Operators, func(a, b Operator) int {
		return strings.Compare(a.Domain+":"+a.Name, b.Domain+":"+b.Name)
	})
	o.Operators = slices.Compact(o.Operators)
	return o.Outline, nil
}

type outline struct {
	Outline
	initializers []string
}

func (o *outline) graph(at field, depth int) error {
	if err := at.want(protowire.BytesType); err != nil {
		return err
	}
	if depth > maxDepth {
		return at.errorf("graphs are nested more than %d deep", maxDepth)
	}
	name := func(f field, number protowire.Number, list *[]string) error {
		if err := f.want(protowire.BytesType); err != nil || depth > 0 {
			return err
		}
		*list = append(*list, "")
		return f.span().each(func(f field) error {
			if f.num != number {
				return nil
			}
			return f.toString(&(*list)[len(*list)-1])
		})
	}
	return at.span().each(func(f field) error {
		switch f.num {
		case graphInput:
			return name(f, valueName, &o.Inputs)
		case graphOutput:
			return name(f, valueName, &o.Outputs)
		case graphInitializer:
			return name(f, tensorName, &o.initializers)
		case graphNode:
			return o.node(f, depth)
		}
		return nil
	})
}

func (o *outline) node(at field, depth int) error {
	if err := at.want(protowire.BytesType); err != nil {
		return err
	}
	var op Operator
	err := at.span().each(func(f field) error {
		switch f.num {
		case nodeOp:
			return f.toString(&op.Name)
		case nodeDomain:
			return f.toString(&op.Domain)
		case nodeAttribute:
			if err := f.want(protowire.BytesType); err != nil {
				return err
			}
			return f.span().each(func(f field) error {
				if f.num != attrGraph {
					return nil
				}
				return o.graph(f, depth+1)
			})
		}
		return nil
	})
	op.Domain = standard(op.Domain)
	o.Operators = append(o.Operators, op)
	return err
}
