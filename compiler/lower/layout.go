package lower

import (
	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// Params lists the parameters of a network in the order in which lowering first asks for them. With train, these are all that
// training touches, the auxiliary head and the running statistics included; otherwise those that evaluation reads.
func Params(n Network, train bool) ([]Param, error) {
	var list []Param
	seen := map[string]bool{}
	b := op.NewB("layout")
	e := &Env{B: b, Train: train, Param: func(p Param) *ir.Value {
		if !seen[p.Name] {
			seen[p.Name] = true
			list = append(list, p)
		}
		return &ir.Value{Name: p.Name, Type: ir.Float32, Shape: p.Shape}
	}}
	m := n.Skeleton()
	if s, ok := n.(Supernet); ok {
		e.Alphas = b.Input("alphas", ir.Float32, s.AlphaShape()...)
	}
	n.Forward(e, b.Input("images", ir.Float32, 1, int64(m.Depth), int64(m.Height), int64(m.Width)))
	return list, b.Err()
}

// Count returns how many numbers of params are trained: weights, scales and biases, not statistics.
func Count(params []Param) int64 {
	total := int64(0)
	for _, p := range params {
		if !p.Kind.Statistic() {
			total += ir.Shape(p.Shape).Numel()
		}
	}
	return total
}

// MACs counts the multiply-adds of convolutions and linear layers for one image that passes through a network in evaluation mode.
func MACs(n Network) (int64, error) {
	b := op.NewB("macs")
	e := &Env{B: b, Param: func(p Param) *ir.Value {
		return &ir.Value{Name: p.Name, Type: ir.Float32, Shape: p.Shape}
	}}
	m := n.Skeleton()
	if s, ok := n.(Supernet); ok {
		e.Alphas = b.Input("alphas", ir.Float32, s.AlphaShape()...)
	}
	n.Forward(e, b.Input("images", ir.Float32, 1, int64(m.Depth), int64(m.Height), int64(m.Width)))
	return op.MACs(b.Graph()), b.Err()
}
