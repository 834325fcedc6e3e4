package program

import (
	"errors"
	"fmt"
	"slices"

	"rnas/compiler/grad"
	"rnas/compiler/ir"
)

// Attackable tells whether a model can be attacked by gradients, and what speaks against believing the result.
type Attackable struct {
	Possible bool   `json:"possible"`
	Reason   string `json:"reason,omitempty"` // when it is not
	// Findings are about the way from the first output back to the image.
	Findings []grad.Finding `json:"findings,omitempty"`
}

// Examine tells whether g can be attacked by gradients: it is a classifier of images, some gradient arrives at the image,
// and every operator on the way has a rule for the shapes at hand.
func Examine(g *ir.Graph) Attackable {
	var a Attackable
	connected := false
	if len(g.Inputs) > 0 && len(g.Outputs) > 0 {
		connected, a.Findings = grad.Path(g, g.Outputs[0], g.Inputs[0])
	}
	c, err := NewClassifier(g)
	if i := slices.IndexFunc(a.Findings, func(f grad.Finding) bool { return f.Kind == grad.NoRule }); err == nil && i >= 0 {
		err = errors.New(a.Findings[i].String())
	}
	if err == nil && !connected {
		err = fmt.Errorf("no gradient passes from %s to %s", g.Outputs[0].Name, g.Inputs[0].Name)
	}
	if err == nil {
		_, err = c.Gradient(1)
	}
	if a.Possible = err == nil; !a.Possible {
		a.Reason = err.Error()
	}
	return a
}
