package program_test

import (
	"fmt"
	"math"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/tensor"
)

// oracle computes a supernet's logits and first derivatives in float64. It shares the lowering of the supernet and the rules of
// gradients with the programs under test; softmax of the architecture, losses, perturbed images, weighting of terms and everything that
// steps do with gradients are plain Go.
type oracle struct {
	t      *testing.T
	net    lower.Supernet
	layout *program.Layout
	graphs map[string]*interp.Program
}

// point is where an objective is evaluated.
type point struct {
	params, stats, alphas []float64
	mix                   func(weights []float64) []float64 // perturbs the softmax of alphas; nil for none
}

// batch is images [n,D,H,W] and labels [n].
type batch struct {
	images []float64
	labels []int64
}

// What an oracle differentiates: nothing, sum of coefficients times logits by images, mean cross-entropy by images, by params and by
// the architecture weights.
const (
	noGradient    = ""
	logitsByImage = "images of logits"
	ceByImage     = "images"
	ceByParams    = "params"
	ceByMix       = "mix"
)

// graph builds the forward graph of n images with outputs logits and gradient.
func (o *oracle) graph(n int, train bool, of string) *interp.Program {
	key := fmt.Sprint(n, train, of)
	if p := o.graphs[key]; p != nil {
		return p
	}
	m, b := o.net.Macro, op.NewB("oracle")
	images := b.Input("images", ir.Float32, int64(n), int64(m.Depth), int64(m.Height), int64(m.Width))
	target := b.Input("target", ir.Float32, int64(n), int64(m.Classes))
	params := b.Input("params", ir.Float32, o.layout.ParamLen)
	stats := b.Input("stats", ir.Float32, o.layout.StatLen)
	shape := o.net.AlphaShape()
	alphas := b.Input("alphas", ir.Float32, shape...)
	mix := b.Input("mix", ir.Float32, shape[0], shape[1], int64(len(o.net.Primitives)))
	values := map[string]*ir.Value{}
	split := func(vector *ir.Value, slots []program.Slot) {
		sizes := make([]int64, len(slots))
		for i, s := range slots {
			sizes[i] = ir.Shape(s.Shape).Numel()
		}
		for i, part := range b.Split(vector, 0, sizes...) {
			values[slots[i].Name] = b.Reshape(part, slots[i].Shape...)
		}
	}
	split(params, o.layout.Params)
	split(stats, o.layout.Stats)
	e := &lower.Env{
		B: b, Train: train, Alphas: alphas, Param: func(p lower.Param) *ir.Value { return values[p.Name] },
		Mix: func(op.B, *ir.Value) *ir.Value { return mix },
	}
	logits, _ := o.net.Forward(e, images)
	b.Output("logits", logits)
	if of != noGradient {
		loss := b.Scale(b.ReduceSum(b.Mul(b.LogSoftmax(logits, -1), target), false, 1), -1/float64(n))
		if of == logitsByImage {
			loss = b.ReduceSum(b.Mul(logits, target), false, 1)
		}
		by := map[string]*ir.Value{logitsByImage: images, ceByImage: images, ceByParams: params, ceByMix: mix}[of]
		b.Output("gradient", program.InputGradient(b, loss, by))
	}
	g, err := b.Build()
	if err != nil {
		o.t.Fatal(err)
	}
	p, err := interp.Compile(g)
	if err != nil {
		o.t.Fatal(err)
	}
	o.graphs[key] = p
	return p
}

// run gives logits and gradient for images and a target [n,K].
func (o *oracle) run(at point, images, target []float64, train bool, of string) (logits, gradient []float64) {
	o.t.Helper()
	m := o.net.Macro
	n := len(images) / (m.Depth * m.Height * m.Width)
	f64 := func(v []float64, shape ...int64) *tensor.Tensor { return tensor.FromFloat64s(tensor.Float64, shape, v) }
	shape := o.net.AlphaShape()
	out, err := o.graph(n, train, of).Run(map[string]*tensor.Tensor{
		"images": f64(images, int64(n), int64(m.Depth), int64(m.Height), int64(m.Width)), "target": f64(target, int64(n), int64(m.Classes)),
		"params": f64(at.params, o.layout.ParamLen), "stats": f64(at.stats, o.layout.StatLen), "alphas": f64(at.alphas, shape...),
		"mix": f64(o.mixed(at), shape[0], shape[1], int64(len(o.net.Primitives))),
	})
	if err != nil {
		o.t.Fatal(err)
	}
	if g := out["gradient"]; g != nil {
		gradient = g.Float64s()
	}
	return out["logits"].Float64s(), gradient
}

// mixed is the softmax of the architecture parameters of each edge, perturbed.
func (o *oracle) mixed(at point) []float64 {
	columns := int(o.net.AlphaShape()[2])
	var out []float64
	for row := range len(at.alphas) / columns {
		out = append(out, softmax(at.alphas[row*columns:][:len(o.net.Primitives)])...)
	}
	if at.mix != nil {
		return at.mix(out)
	}
	return out
}

// logits are those of images with batch statistics.
func (o *oracle) logits(at point, images []float64) []float64 {
	n := len(images) / (o.net.Depth * o.net.Height * o.net.Width)
	logits, _ := o.run(at, images, make([]float64, n*o.net.Classes), true, noGradient)
	return logits
}

// ce is the mean cross-entropy of images with batch statistics.
func (o *oracle) ce(at point, x batch) float64 { return meanCE(o.logits(at, x.images), x.labels) }

// gradient differentiates the mean cross-entropy.
func (o *oracle) gradient(at point, x batch, train bool, of string) []float64 {
	_, g := o.run(at, x.images, oneHot(x.labels, o.net.Classes), train, of)
	return g
}

func oneHot(labels []int64, classes int) []float64 {
	out := make([]float64, len(labels)*classes)
	for i, k := range labels {
		out[i*classes+int(k)] = 1
	}
	return out
}

func softmax(x []float64) []float64 {
	out, sum := make([]float64, len(x)), 0.0
	for i, v := range x {
		out[i] = math.Exp(v)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

func meanCE(logits []float64, labels []int64) float64 {
	k, sum := len(logits)/len(labels), 0.0
	for i, label := range labels {
		sum -= math.Log(softmax(logits[i*k : (i+1)*k])[label])
	}
	return sum / float64(len(labels))
}

// meanKL is the mean of KL(softmax(p) || softmax(q)) over rows of so many classes.
func meanKL(p, q []float64, classes int) float64 {
	sum := 0.0
	for i := 0; i < len(p); i += classes {
		a, b := softmax(p[i:i+classes]), softmax(q[i:i+classes])
		for k := range a {
			sum += a[k] * math.Log(a[k]/b[k])
		}
	}
	return sum / float64(len(p)/classes)
}

func length(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum)
}

// slope is the central difference of f, with several results, by entry i of x.
func slope(x []float64, i int, f func() []float64) []float64 {
	const h = 1e-6
	old := x[i]
	x[i] = old + h
	plus := f()
	x[i] = old - h
	minus := f()
	x[i] = old
	for k := range plus {
		plus[k] = (plus[k] - minus[k]) / (2 * h)
	}
	return plus
}
