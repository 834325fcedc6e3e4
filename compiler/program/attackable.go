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
		out := g.Outputs[0]
		if form, err := LogitFormOf(out); err == nil {
			out = form.From
		}
		connected, a.Findings = grad.Path(g, out, g.Inputs[0])
	}
	c, err := NewClassifier(g)
	if i := slices.IndexFunc(a.Findings, func(f grad.Finding) bool { return f.Kind == grad.NoRule }); err == nil && i >= 0 {
		err = errors.New(a.Findings[i].String())
	}
	if err == nil && !connected {
		err = Blocked(g, a.Findings)
	}
	if err == nil {
		_, err = c.Gradient(int(max(1, g.Inputs[0].Shape[0])))
	}
	if a.Possible = err == nil; !a.Possible {
		a.Reason = err.Error()
	}
	return a
}

// Blocked is the error for a model of which no gradient reaches the image. It names the operator where the gradient ends; findings are those
// of grad.Path.
func Blocked(g *ir.Graph, findings []grad.Finding) error {
	err := fmt.Errorf("no gradient passes from %s to %s", g.Outputs[0].Name, g.Inputs[0].Name)
	if i := slices.IndexFunc(findings, func(f grad.Finding) bool { return f.Kind == grad.Cut }); i >= 0 {
		err = fmt.Errorf("%w: %s", err, findings[i])
	}
	return err
}

// Differentiable is nil where a gradient of the logits reaches the image of the classifier, and every operator on the way has a rule.
func (c Classifier) Differentiable() error {
	connected, findings := grad.Path(c.Graph, c.Outputs[0], c.Inputs[0])
	if i := slices.IndexFunc(findings, func(f grad.Finding) bool { return f.Kind == grad.NoRule }); i >= 0 {
		return errors.New(findings[i].String())
	}
	if !connected {
		return Blocked(c.Graph, findings)
	}
	return nil
}
