package program

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/op"
)

// Attack is a sign-gradient attack in the maximum norm: Steps times
//
//	x <- clip01(clip(x + StepSize*sign(grad), x0-Epsilon, x0+Epsilon))
//
// from x0+start clipped to [0,1] (Madry et al. 2018, section 2.1). One step of size Epsilon from no start is FGSM
// (Goodfellow et al. 2015, section 4).
type Attack struct {
	Epsilon  float64 `json:"epsilon"`   // in pixels of [0,1]
	StepSize float64 `json:"step_size"` // likewise
	Steps    int     `json:"steps"`
}

// Validate checks the settings.
func (a Attack) Validate() error {
	if !(a.Epsilon >= 0 && a.Epsilon <= 1) || !(a.StepSize >= 0) || a.Steps < 1 {
		return fmt.Errorf("attack: eps %v, step size %v and %d steps: expected 0 to 1, at least 0 and at least 1", a.Epsilon, a.StepSize, a.Steps)
	}
	return nil
}

// Loss is a scalar or [1] that the attack raises, for images x. It is built inside the loop of the attack.
type Loss func(b op.B, x *ir.Value) *ir.Value

// Run appends the attack to b and returns the adversarial images: the last iterate, as all published variants do. More
// than one step becomes one Loop, so nothing leaves the device between steps.
func (a Attack) Run(b op.B, images, start *ir.Value, loss Loss) *ir.Value {
	if err := a.Validate(); err != nil {
		b.Fail("%w", err)
		return images
	}
	if b.Err() != nil {
		return images
	}
	low := b.Clip(b.Sub(images, b.Float(images, a.Epsilon)), 0, 1)
	high := b.Clip(b.Add(images, b.Float(images, a.Epsilon)), 0, 1)
	x := images
	if start != nil {
		x = b.Clip(b.Add(images, start), 0, 1)
	}
	step := func(b op.B, x *ir.Value) *ir.Value {
		g := gradient(b, loss(b, x), x)
		moved := b.Add(x, b.Scale(b.Sign(g), a.StepSize))
		return b.Min(b.Max(moved, low), high)
	}
	if a.Steps == 1 {
		b.In("attack", func() { x = step(b, x) })
		return x
	}
	return b.Loop("attack", int64(a.Steps), []*ir.Value{x}, func(b op.B, _ *ir.Value, carried []*ir.Value) []*ir.Value {
		return []*ir.Value{step(b, carried[0])}
	})[0]
}
