package cpu

import (
	"slices"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
)

// Widen fills the channels of a forward graph up to whole blocks of NCHWc. Convolutions with constant weights get output channels
// with weights of 0, which every further convolution reads with weights of 0. A network of 36 channels and blocks of 8 then stays
// in that layout for a tenth more arithmetic.
//
// A convolution stays as it is where its channels would grow by more than an eighth, or where channels would have to be taken out
// of images again. The outputs of the graph stay the same, and so does its gradient.
func Widen(block int64) pass.Pass {
	return pass.Pass{
		Name: "widen", Why: "channels that fill whole blocks stay in NCHWc",
		After: []pass.Need{{Pass: "dead", Why: "users that count for nothing may not be able to take more channels"}},
		Run: func(g *ir.Graph) error {
			if slices.ContainsFunc(g.Nodes, func(n *ir.Node) bool { return len(n.Graphs()) > 0 }) {
				return nil // what nested graphs use is not followed
			}
			w := &widener{block: block, fixed: ir.GivenOut(g), vetoed: map[*ir.Node]bool{}}
			for !w.spread(g) {
			}
			if len(w.channels) == 0 {
				return nil
			}
			return w.run(g)
		},
	}
}

// span is some neighbouring channels that mean something, followed by meaningless ones; filled counts both.
type span struct{ have, filled int64 }

// channels tells where the channels of a wider tensor are.
type channels []span

func (c channels) filled() (n int64) {
	for _, s := range c {
		n += s.filled
	}
	return n
}

// widener finds the values that become wider, and widens them.
type widener struct {
	block    int64
	fixed    map[*ir.Value]bool
	vetoed   map[*ir.Node]bool        // convolutions whose result must stay
	channels map[*ir.Value]channels   // of wider values
	sources  map[*ir.Value][]*ir.Node // convolutions that a wider value comes from
}

// A wider tensor has at most growthOver/growthUnder times the channels.
const growthOver, growthUnder = 9, 8

// spread finds the wider values. It reports false where a node cannot take one; the convolutions that one comes from are then
// vetoed.
func (w *widener) spread(g *ir.Graph) bool {
	w.channels, w.sources = map[*ir.Value]channels{}, map[*ir.Value][]*ir.Node{}
	for _, n := range g.Nodes {
		var from []*ir.Node
		for _, v := range n.In {
			from = append(from, w.sources[v]...)
		}
		out, ok := w.through(n)
		if !ok || out != nil && w.fixed[n.Out[0]] {
			if w.starts(n) && out != nil {
				from = append(from, n)
			}
			for _, s := range from {
				w.vetoed[s] = true
			}
			return false
		}
		if out != nil {
			if w.starts(n) {
				from = []*ir.Node{n}
			}
			w.channels[n.Out[0]], w.sources[n.Out[0]] = out, from
		}
	}
	return true
}

// through tells where the channels of the result of n are; nil is where they were. It is not ok if n cannot take its inputs.
func (w *widener) through(n *ir.Node) (out channels, ok bool) {
	wide := slices.ContainsFunc(n.In, func(v *ir.Value) bool { return w.channels[v] != nil })
	if n.Op == "Conv" && n.Domain == "" {
		return w.throughConv(n)
	}
	if !wide {
		return nil, true
	}
	x := w.channels[n.In[0]]
	switch {
	case n.Domain != "":
	case slices.Contains(channelByChannel, n.Op):
		return x, x != nil && (len(n.Out) < 2 || n.Out[1] == nil)
	case n.Op == "BatchNormalization":
		constant := !slices.ContainsFunc(n.In[1:], func(v *ir.Value) bool { return !v.IsConst() })
		return x, constant && n.Int("training_mode", 0) == 0
	case n.Op == "Slice" || n.Op == "Pad":
		return x, x != nil && w.betweenPixels(n)
	case slices.Contains(elementByElement, n.Op):
		return w.throughElements(n)
	case n.Op == "Concat":
		if axis, err := op.Axis(n.Int("axis", 0), n.Out[0].Rank()); err == nil && axis == 1 {
			for _, v := range n.In {
				if c := w.channels[v]; c != nil {
					out = append(out, c...)
				} else {
					out = append(out, span{v.Shape[1], v.Shape[1]})
				}
			}
			return out, true
		}
	}
	for _, v := range n.In { // others take the channels that there were, which is cheap without pixels
		if w.channels[v] != nil && !pixelless(v) {
			return nil, false
		}
	}
	return nil, true
}

// channelByChannel are operators that work on every channel by itself and are finite at what fills channels up.
var channelByChannel = []string{
	"Relu", "LeakyRelu", "Clip", "HardSwish", "HardSigmoid", "Sigmoid", "Tanh", "Elu", "Softplus", "Softsign", "Erf", "Abs", "Neg",
	"Identity", "MaxPool", "AveragePool", "GlobalAveragePool",
}

// elementByElement are operators that work element by element and are finite at what fills channels up.
var elementByElement = []string{"Add", "Sub", "Mul", "Sum", "Max", "Min"}

// pixelless reports whether v has one pixel per channel.
func pixelless(v *ir.Value) bool { return v.Rank() == 4 && v.Shape[2] == 1 && v.Shape[3] == 1 }

// starts reports whether the result of n becomes wider by itself: a dense convolution whose channels do not fill blocks.
func (w *widener) starts(n *ir.Node) bool {
	if n.Op != "Conv" || n.Domain != "" || w.vetoed[n] || n.Int("group", 1) != 1 || !constantConv(n) {
		return false
	}
	c := n.Out[0].Shape[1]
	filled := (c + w.block - 1) / w.block * w.block
	return filled != c && growthUnder*filled <= growthOver*c
}

func constantConv(n *ir.Node) bool {
	return n.In[0].Rank() == 4 && n.In[0].Type == ir.Float32 && n.In[1].IsConst() && (n.Input(2) == nil || n.In[2].IsConst())
}

// throughConv is through for a convolution. A dense one takes any channels, a depthwise one passes them on.
func (w *widener) throughConv(n *ir.Node) (out channels, ok bool) {
	x := w.channels[n.In[0]]
	c := n.Out[0].Shape[1]
	switch {
	case w.starts(n):
		return channels{{c, (c + w.block - 1) / w.block * w.block}}, true
	case x == nil:
		return nil, true
	case !constantConv(n):
		return nil, false
	case n.Int("group", 1) == 1:
		return nil, true
	}
	return x, depthwiseConv(n)
}

func depthwiseConv(n *ir.Node) bool {
	return n.In[1].Shape[0] == n.Int("group", 1) && n.In[1].Shape[1] == 1
}

// throughElements is through for an elementwise operator. It takes wider tensors with their channels at the same places, numbers,
// and constants.
func (w *widener) throughElements(n *ir.Node) (out channels, ok bool) {
	for _, v := range n.In {
		c := w.channels[v]
		switch {
		case c != nil && out == nil:
			out = c
		case c != nil && !slices.Equal(c, out):
			return nil, false
		case c == nil && !v.IsConst() && v.Shape.Numel() != 1:
			return nil, false
		}
	}
	return out, n.Out[0].Rank() == 4
}

// betweenPixels reports whether Slice or Pad n leaves the channels alone.
func (w *widener) betweenPixels(n *ir.Node) bool {
	if n.Op == "Slice" {
		axes, ok := op.ConstInts(n.Input(3))
		return ok && !slices.ContainsFunc(axes, func(a int64) bool { return a < 2 })
	}
	pads, ok := op.ConstInts(n.In[1])
	return ok && n.Input(3) == nil && len(pads) == 8 && pads[1] == 0 && pads[5] == 0
}
