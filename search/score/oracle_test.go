package score

import (
	"math"
	"slices"
	"testing"

	"rnas/compiler/interp"
	"rnas/compiler/ir"
	"rnas/compiler/lower"
	"rnas/compiler/op"
	"rnas/compiler/program"
	"rnas/internal/tensor"
)

// oracle computes a network in float64 by the interpreter, forward only: no gradient rule, no pass and no part of program.Probe is in it.
// Gradients are central differences.
type oracle struct {
	t      *testing.T
	s      *subject
	run    *interp.Program
	inputs []*ir.Value
	// times is how often the network uses each Relu output.
	times    []int
	features []string // weights of the layers whose outputs are given
}

// newOracle lowers the network of a subject with its parameters as inputs and the outputs of all Relus and layers besides the logits.
func newOracle(t *testing.T, s *subject, bare bool) *oracle {
	t.Helper()
	o := &oracle{t: t, s: s}
	b := op.NewB("oracle")
	m := s.net.Macro
	images := b.Input("images", ir.Float32, int64(s.Batch), int64(m.Depth), int64(m.Height), int64(m.Width))
	given := map[string]*ir.Value{}
	weightOf := map[*ir.Value]string{}
	e := &lower.Env{B: b, Train: true, Bare: bare, Param: func(p lower.Param) *ir.Value {
		if given[p.Name] == nil {
			given[p.Name] = b.Input(p.Name, ir.Float32, p.Shape...)
			weightOf[given[p.Name]] = p.Name
		}
		return given[p.Name]
	}}
	logits, _ := s.net.Forward(e, images)
	layers := []*ir.Value{}
	for _, n := range b.Graph().Nodes {
		if n.Op == "Conv" || n.Op == "Gemm" {
			layers = append(layers, b.Identity(n.Out[0]))
			o.features = append(o.features, weightOf[n.In[1]])
		}
	}
	b.Output("logits", logits)
	place := map[*ir.Value]int{}
	for _, a := range e.Activations {
		if _, ok := place[a]; !ok {
			place[a] = len(o.times)
			o.times = append(o.times, 0)
			b.Output(b.Free("relu"), b.Identity(a))
		}
		o.times[place[a]]++
	}
	for _, l := range layers {
		b.Output(b.Free("layer"), l)
	}
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	o.inputs = g.Inputs
	if o.run, err = interp.Compile(g); err != nil {
		t.Fatal(err)
	}
	return o
}

// forward gives logits [B*K], Relu outputs and layer outputs at parameters and images.
func (o *oracle) forward(params, images []float64) (logits []float64, relus, layers [][]float64) {
	o.t.Helper()
	in := map[string]*tensor.Tensor{}
	for _, v := range o.inputs {
		if v.Name == "images" {
			in[v.Name] = tensor.Of(v.Shape, images...)
			continue
		}
		slot := *o.s.layout.Slot(v.Name)
		if slot.Kind.Statistic() {
			in[v.Name] = tensor.Zeros(tensor.Float64, v.Shape...)
			continue
		}
		in[v.Name] = tensor.Of(v.Shape, params[slot.Offset:slot.Offset+elements(slot)]...)
	}
	ordered := make([]*tensor.Tensor, len(o.inputs))
	for i, v := range o.inputs {
		ordered[i] = in[v.Name]
	}
	out, err := o.run.RunOrdered(ordered...)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, t := range out[1 : 1+len(o.times)] {
		relus = append(relus, t.Data.([]float64))
	}
	for _, t := range out[1+len(o.times):] {
		layers = append(layers, t.Data.([]float64))
	}
	return out[0].Data.([]float64), relus, layers
}

// ce is the mean cross-entropy.
func (o *oracle) ce(params, images []float64) float64 {
	logits, _, _ := o.forward(params, images)
	k := len(logits) / o.s.Batch
	sum := 0.0
	for i, label := range o.s.labels {
		row := logits[i*k : (i+1)*k]
		top, total := slices.Max(row), 0.0
		for _, v := range row {
			total += math.Exp(v - top)
		}
		sum += top - row[label] + math.Log(total)
	}
	return sum / float64(o.s.Batch)
}

// total is the sum of all logits.
func (o *oracle) total(params, images []float64) float64 {
	logits, _, _ := o.forward(params, images)
	sum := 0.0
	for _, v := range logits {
		sum += v
	}
	return sum
}

// slope is the gradient of f at x by central differences.
func slope(x []float64, f func() float64) []float64 {
	g := make([]float64, len(x))
	for i, v := range x {
		h := 1e-6 * max(1, math.Abs(v))
		x[i] = v + h
		up := f()
		x[i] = v - h
		g[i] = (up - f()) / (2 * h)
		x[i] = v
	}
	return g
}

// layerSlots are the weights of layers, in the order of the layout.
func layerSlots(s *subject) []program.Slot {
	var slots []program.Slot
	for _, p := range s.layout.Params {
		if p.Kind == lower.ConvWeight || p.Kind == lower.LinearWeight {
			slots = append(slots, p)
		}
	}
	return slots
}

func norm64(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum)
}

func cosine64(x, y []float64) float64 {
	sum := 0.0
	for i, v := range x {
		sum += v * y[i]
	}
	if n := norm64(x) * norm64(y); n > 0 {
		return sum / n
	}
	return 0
}

// inverse is the inverse of a matrix [n,n] and the logarithm of its determinant, by elimination.
func inverse(n int, a []float64) (inv []float64, logDet float64) {
	m := make([][]float64, n)
	for i := range m {
		m[i] = append(append([]float64{}, a[i*n:(i+1)*n]...), make([]float64, n)...)
		m[i][n+i] = 1
	}
	for c := range n {
		best := c
		for r := c; r < n; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[best][c]) {
				best = r
			}
		}
		m[c], m[best] = m[best], m[c]
		p := m[c][c]
		logDet += math.Log(math.Abs(p))
		for k := range m[c] {
			m[c][k] /= p
		}
		for r := range n {
			if f := m[r][c]; r != c {
				for k := range m[r] {
					m[r][k] -= f * m[c][k]
				}
			}
		}
	}
	for i := range m {
		inv = append(inv, m[i][n:]...)
	}
	return inv, logDet
}
