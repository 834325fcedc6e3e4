package program

import (
	"fmt"

	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/op"
	"rnas/compiler/pass"
	"rnas/internal/carry"
)

// Deploy lowers the evaluation form of a network with its parameters as constants: input "input" [batch,D,H,W] in [0,1]
// (ir.N for a symbolic batch), output "logits" [batch,K]. Parameters are read from the flat vectors of the layout. With
// fold, normalisation is merged into the convolutions.
func Deploy(n lower.Network, l *Layout, params, stats []float32, batch int64, fold bool) (*ir.Graph, error) {
	m := n.Skeleton()
	b := op.NewB("rnas")
	images := b.Input("input", ir.Float32, batch, int64(m.Depth), int64(m.Height), int64(m.Width))
	e := &lower.Env{B: b, Fold: fold, Param: func(p lower.Param) *ir.Value {
		s := l.Slot(p.Name)
		if s == nil {
			b.Fail("parameter %s is not in the layout", p.Name)
			return &ir.Value{}
		}
		return b.NamedConst(p.Name, l.Tensor(*s, params, stats))
	}}
	logits, _ := n.Forward(e, images)
	b.Output("logits", logits)
	return b.Build()
}

// Eval is a program that evaluates a network over the states params and stats (and alphas, for a supernet): inputs
// images [B,D,H,W] and labels int64 [B], outputs logits [B,K], loss [B] and hit [B] (1 where the prediction is right).
func Eval(n lower.Network, l *Layout, batch int) (*Program, error) {
	m := n.Skeleton()
	b := op.NewB("eval")
	images := b.Input("images", ir.Float32, int64(batch), int64(m.Depth), int64(m.Height), int64(m.Width))
	labels := b.Input("labels", ir.Int64, int64(batch))
	w := open(b, n, l)
	states := []carry.Binding{read(Params), read(Stats)}
	if s, ok := n.(lower.Supernet); ok {
		w.alphas = b.Input(Alphas, ir.Float32, s.AlphaShape()...)
		states = append(states, read(Alphas))
	}
	logits, _, _ := w.forward(b, images, mode{})
	target := b.OneHot(labels, int64(m.Classes), images)
	b.Output("logits", logits)
	b.Output("loss", crossEntropy(b, logits, target))
	b.Output("hit", b.Cast(hits(b, logits, labels), ir.Float32))
	return build(b, states...)
}

// Classifier is a classifier given as a graph: one input [N,C,H,W], one output of logits [N,K].
type Classifier struct {
	*ir.Graph
}

// Logits inlines the classifier into b: logits [B,K] of images [B,C,H,W].
func (c Classifier) Logits(b op.B, images *ir.Value) *ir.Value {
	out := op.Inline(b, c.Graph, []*ir.Value{images})
	if b.Err() != nil {
		return images
	}
	return out[0]
}

// Classes is the number of logits.
func (c Classifier) Classes() int64 { return c.Outputs[0].Shape[1] }

// Score evaluates a classifier: inputs images [B,C,H,W] and labels int64 [B], outputs logits [B,K], loss [B] and hit [B].
func (c Classifier) Score(batch int) (*Program, error) {
	b := op.NewB("score")
	images, labels := c.Open(b, batch)
	logits := c.Logits(b, images)
	b.Output("logits", logits)
	b.Output("loss", crossEntropy(b, logits, b.OneHot(labels, c.Classes(), images)))
	b.Output("hit", b.Cast(hits(b, logits, labels), ir.Float32))
	return build(b)
}

// Attack is an attack on a classifier as one graph: inputs images and start [B,C,H,W], labels int64 [B], output
// adversarial [B,C,H,W].
func (c Classifier) Attack(a Attack, batch int) (*Program, error) {
	b := op.NewB("attack")
	images, labels := c.Open(b, batch)
	start := b.Input("start", ir.Float32, images.Shape...)
	target := b.OneHot(labels, c.Classes(), images)
	adversarial := a.Run(b, images, start, func(b op.B, x *ir.Value) *ir.Value {
		return b.ReduceSum(crossEntropy(b, c.Logits(b, x), target), true, 0)
	})
	b.Output("adversarial", adversarial)
	return build(b)
}

// Gradient is the input gradient of a classifier: inputs images [B,C,H,W] and labels int64 [B], outputs logits, loss [B]
// and gradient [B,C,H,W] of the summed cross-entropy.
func (c Classifier) Gradient(batch int) (*Program, error) {
	b := op.NewB("input_gradient")
	images, labels := c.Open(b, batch)
	logits := c.Logits(b, images)
	loss := crossEntropy(b, logits, b.OneHot(labels, c.Classes(), images))
	b.Output("logits", logits)
	b.Output("loss", loss)
	b.Output("gradient", gradient(b, b.ReduceSum(loss, true, 0), images))
	return build(b)
}

// Open declares the inputs of a program on a batch: images [B,C,H,W] and labels int64 [B].
func (c Classifier) Open(b op.B, batch int) (images, labels *ir.Value) {
	shape := c.Inputs[0].Shape.Clone()
	shape[0] = int64(batch)
	return b.Input("images", ir.Float32, shape...), b.Input("labels", ir.Int64, int64(batch))
}

// NewClassifier checks that g is a classifier of images: one input of rank 4 and a first output that LogitFormOf reads. Where g computes in
// another floating-point type, the classifier computes in float32 with the weights as they are. It is a simplified copy of g: what two
// operators compute alike is one before it is differentiated, so that its gradient is taken once, of the sum.
func NewClassifier(g *ir.Graph) (Classifier, error) {
	switch {
	case len(g.Inputs) != 1 || !g.Inputs[0].Type.IsFloat() || g.Inputs[0].Rank() != 4:
		return Classifier{}, fmt.Errorf("graph %s: expected one floating-point input [N,C,H,W], found %v", g.Name, g.Inputs)
	case len(g.Outputs) < 1:
		return Classifier{}, fmt.Errorf("graph %s: expected an output of logits [N,K], found none", g.Name)
	case !ir.Shape(g.Inputs[0].Shape[1:]).Static():
		return Classifier{}, fmt.Errorf("graph %s: expected static image dimensions, found %s", g.Name, g.Inputs[0])
	}
	if _, err := LogitFormOf(g.Outputs[0]); err != nil {
		return Classifier{}, fmt.Errorf("graph %s: %w", g.Name, err)
	}
	b := op.NewB(g.Name)
	images := b.Input(g.Inputs[0].Name, ir.Float32, g.Inputs[0].Shape...)
	out := op.Inline(b, g, []*ir.Value{b.Cast(images, g.Inputs[0].Type)})
	if b.Err() == nil {
		form, err := LogitFormOf(out[0])
		if err != nil {
			return Classifier{}, fmt.Errorf("graph %s: %w", g.Name, err)
		}
		b.Output(b.Free(g.Outputs[0].Name), b.Cast(form.Logits(b), ir.Float32))
	}
	simple, err := b.Build()
	if err != nil {
		return Classifier{}, err
	}
	if err := inFloat32(simple); err != nil {
		return Classifier{}, err
	}
	if err := pass.Run(simple, pass.Training()); err != nil {
		return Classifier{}, err
	}
	logits := simple.Outputs[0]
	if logits.Def != nil && logits.Def.Op == "Identity" {
		logits = logits.Def.In[0]
	}
	if logits.IsConst() {
		return Classifier{}, fmt.Errorf("graph %s: output %s does not depend on the images", g.Name, g.Outputs[0].Name)
	}
	return Classifier{simple}, nil
}
