package ir

import (
	"fmt"
	"strings"

	"rnas/internal/tensor"
)

// String is the text of g, deterministic to the byte: one line per input, constant, node and output. Constants of at most eight
// elements are written out; longer ones show type and shape.
//
//	graph eval opset 18
//	  input x float32[4,3,32,32]
//	  const w float32[16,3,3,3]
//	  y float32[4,16,32,32] = Conv(x, w) kernel_shape=[3,3] pads=[1,1,1,1]
//	  output y
func (g *Graph) String() string {
	p := &printer{}
	p.graph(g, "")
	return p.String()
}

type printer struct{ strings.Builder }

func (p *printer) graph(g *Graph, indent string) {
	fmt.Fprintf(p, "%sgraph %s opset %d\n", indent, g.Name, g.Opset)
	indent += "  "
	for _, v := range g.Inputs {
		fmt.Fprintf(p, "%sinput %s\n", indent, v)
	}
	for _, v := range g.Constants() {
		fmt.Fprintf(p, "%sconst %s%s\n", indent, v, literal(v.Const))
	}
	for _, n := range g.Nodes {
		p.node(n, indent)
	}
	for _, v := range g.Outputs {
		fmt.Fprintf(p, "%soutput %s\n", indent, v.Name)
	}
}

func (p *printer) node(n *Node, indent string) {
	p.WriteString(indent)
	for i, v := range n.Out {
		if i > 0 {
			p.WriteString(", ")
		}
		if v == nil {
			p.WriteString("_")
			continue
		}
		p.WriteString(v.String())
	}
	op := n.Op
	if n.Domain != "" {
		op = n.Domain + "." + op
	}
	fmt.Fprintf(p, " = %s(", op)
	for i, v := range n.In {
		if i > 0 {
			p.WriteString(", ")
		}
		if v == nil {
			p.WriteString("_")
			continue
		}
		p.WriteString(v.Name)
	}
	p.WriteString(")")
	var subs []*Graph
	for _, name := range n.Attrs.Names() {
		switch a := n.Attrs[name].(type) {
		case *Graph:
			subs = append(subs, a)
		case *tensor.Tensor:
			fmt.Fprintf(p, " %s=%s%s%s", name, a.DType(), Shape(a.Shape), literal(a))
		case []int64:
			fmt.Fprintf(p, " %s=%s", name, list(a))
		case []float32:
			fmt.Fprintf(p, " %s=%s", name, list(a))
		case []string:
			fmt.Fprintf(p, " %s=%q", name, a)
		case string:
			fmt.Fprintf(p, " %s=%q", name, a)
		default:
			fmt.Fprintf(p, " %s=%v", name, a)
		}
	}
	p.WriteString("\n")
	for _, sub := range subs {
		p.graph(sub, indent+"  ")
	}
}

func list[T any](a []T) string {
	return strings.ReplaceAll(fmt.Sprint(a), " ", ",")
}

func literal(t *tensor.Tensor) string {
	if t.Len() > 8 {
		return ""
	}
	return " = " + strings.ReplaceAll(fmt.Sprint(t.Data), " ", ",")
}
