package program

import (
	"rnas/compiler/grad"
	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/op"
	"rnas/internal/tensor"
)

// Probe is a network at given weights on one batch, with what scores at initialisation are made of. One program serves several
// scores: its runs differ in images, weights and loss.
//
// Inputs: images [B,D,H,W], labels int64 [B], the states params and stats, and ce [1] and sum [1], the factors of the loss
//
//	ce * (mean cross-entropy of the batch) + sum * (sum of all logits).
//
// Outputs: logits [B,K], the gradients of the loss gradient.params [P] and gradient.images
// [B,D,H,W], and those of Codes and Features. Normalisation is by the statistics of the batch, or left out.
type Probe struct {
	Net   lower.Network
	Batch int
	Bare  bool // leave normalisation out
	// Codes adds code_kernel [B,B], the number of units of all Relu layers that two images agree on (active or not), and code_words
	// [ceil(B/16),U]: word w of a unit has bit i set where image 16w+i activates it. A Relu that several edges share counts as often as it
	// is used in the kernel, and once in the words. Counts are exact below 2^24.
	Codes bool
	// Features adds features [F], the outputs of the layers of Layers one after the other.
	Features bool
}

// Layer is a convolution or linear layer: the place of its weight, and of its output in the output features of a probe.
type Layer struct {
	Weight Slot
	Offset int64 // in elements
	Len    int64
}

// WordBits is the number of images in a code word: float32 holds it exactly.
const WordBits = 16

// Compile makes the program over the layout of the network. The layers are those of features; nil without.
func (p Probe) Compile(l *Layout) (*Program, []Layer, error) {
	m := p.Net.Skeleton()
	b := op.NewB("probe")
	images := b.Input("images", ir.Float32, int64(p.Batch), int64(m.Depth), int64(m.Height), int64(m.Width))
	labels := b.Input("labels", ir.Int64, int64(p.Batch))
	ce, sum := b.Input("ce", ir.Float32, 1), b.Input("sum", ir.Float32, 1)
	w := open(b, p.Net, l)
	e := &lower.Env{B: b, Param: w.source(w.scratch(b)), Train: true, Bare: p.Bare}
	logits, _ := p.Net.Forward(e, images)
	b.Output("logits", logits)
	if p.Codes {
		codes(b, e.Activations)
	}
	var layers []Layer
	if p.Features {
		layers = w.features(l)
	}
	loss := b.Add(
		b.Mul(mean(b, crossEntropy(b, logits, b.OneHot(labels, int64(m.Classes), images))), ce),
		b.Mul(b.Reshape(b.ReduceSum(logits, true), 1), sum))
	one := b.Fill(loss, 1, 1)
	xs := []*ir.Value{w.params.vector, images}
	for i, g := range grad.Gradients(b, []*ir.Value{loss}, []*ir.Value{one}, xs) {
		if g == nil {
			b.Fail("the loss does not depend on %s", xs[i])
			break
		}
		b.Output("gradient."+xs[i].Name, g)
	}
	program, err := build(b, read(Params), read(Stats))
	return program, layers, err
}

// codes declares code_kernel and code_words of activations [B,...]. Two images agree on U - n(i) - n(j) + 2*n(i,j) of U units, n(i) of
// which are active in image i, n(i,j) in both.
func codes(b op.B, activations []*ir.Value) {
	if b.Err() != nil {
		return
	}
	if len(activations) == 0 {
		b.Fail("the network has no Relu")
		return
	}
	batch := activations[0].Shape[0]
	times := map[*ir.Value]int{}
	for _, a := range activations {
		times[a]++
	}
	var shared, unique []*ir.Value
	units := int64(0)
	for _, a := range activations {
		if times[a] == 0 {
			continue
		}
		n := times[a]
		times[a] = 0
		c := b.Sign(b.Flatten(a))
		units += int64(n) * c.Shape[1]
		unique = append(unique, c)
		gram := b.Gemm(c, c, nil, false, true)
		if n > 1 {
			gram = b.Scale(gram, float64(n))
		}
		shared = append(shared, gram)
	}
	both := b.Sum(shared...)
	diagonal := make([]float64, batch*batch)
	words := (batch + WordBits - 1) / WordBits
	bit := make([]float64, words*batch)
	for i := range batch {
		diagonal[i*batch+i] = 1
		bit[i/WordBits*batch+i] = float64(int64(1) << (i % WordBits))
	}
	active := b.Mul(both, b.Const("diagonal", tensor.FromFloat64s(both.Type, []int64{batch, batch}, diagonal)))
	alone := b.Add(b.ReduceSum(active, true, 0), b.ReduceSum(active, true, 1))
	b.Output("code_kernel", b.Add(b.Sub(b.Scale(both, 2), alone), b.Float(both, float64(units))))
	weights := b.Const("bits", tensor.FromFloat64s(both.Type, []int64{words, batch}, bit))
	parts := make([]*ir.Value, len(unique))
	for i, c := range unique {
		parts[i] = b.MatMul(weights, c)
	}
	b.Output("code_words", b.Concat(1, parts...))
}

// features declares the outputs of all layers whose weight is a parameter; it must be called before other users of weights are built.
func (w *network) features(l *Layout) []Layer {
	if w.Err() != nil {
		return nil
	}
	slotOf := map[*ir.Value]Slot{}
	for _, s := range l.Params {
		slotOf[w.params.byName[s.Name]] = s
	}
	var layers []Layer
	var parts []*ir.Value
	at := int64(0)
	for _, n := range w.Graph().Nodes {
		if n.Op != "Conv" && n.Op != "Gemm" {
			continue
		}
		s, ok := slotOf[n.In[1]]
		if !ok {
			continue
		}
		flat := w.Reshape(n.Out[0], -1)
		layers = append(layers, Layer{s, at, flat.Shape[0]})
		parts = append(parts, flat)
		at += flat.Shape[0]
	}
	if len(parts) == 0 {
		w.Fail("the network has no layer with weights")
		return nil
	}
	w.Output("features", w.Concat(0, parts...))
	return layers
}
