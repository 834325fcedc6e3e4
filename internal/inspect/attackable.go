package inspect

import (
	"fmt"

	"rnas/compiler/grad"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/program"
)

// Attackable tells whether the gradient of the loss with respect to the image exists as a graph.
type Attackable struct {
	Possible bool   `json:"possible"`
	Reason   string `json:"reason,omitempty"` // when it is not
	// Stops lists the operators between image and logits at which the gradient is zero though values pass: an attack by
	// gradients alone is then no evidence of robustness.
	Stops []string `json:"stops,omitempty"`
	// StraightThrough counts the operators between image and logits that round to integers, at which the gradient is that
	// of the function without rounding.
	StraightThrough int `json:"straight_through,omitempty"`
}

func attackable(g *ir.Graph) Attackable {
	c, err := program.NewClassifier(g)
	if err != nil {
		return Attackable{Reason: err.Error()}
	}
	a := Attackable{StraightThrough: len(grad.StraightThrough(g))}
	reached := map[*ir.Value]bool{g.Inputs[0]: true}
	for _, n := range g.Nodes {
		hit := false
		for _, v := range n.In {
			hit = hit || v != nil && reached[v]
		}
		if !hit {
			continue
		}
		support, why := grad.Supports(n.Op)
		for _, v := range n.Out {
			if v == nil || !v.Type.IsFloat() && !op.Quantized(v.Type) {
				continue
			}
			reached[v] = true
			if support == grad.Zero {
				a.Stops = append(a.Stops, fmt.Sprintf("%s (%s): %s", n.Name, n.Op, why))
			}
		}
	}
	if _, err := c.Gradient(1); err != nil {
		a.Reason = err.Error()
		return a
	}
	a.Possible = true
	return a
}
