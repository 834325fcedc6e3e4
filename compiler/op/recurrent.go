package op

import (
	"fmt"

	"rnas/compiler/ir"
)

func init() {
	attrs := func(more ...string) []Attr {
		out := []Attr{
			{"activation_alpha", kFloatList, false},
			{"activation_beta", kFloatList, false},
			{"activations", kStringList, false},
			{"clip", kFloat, false},
			{"direction", kString, false},
			{"hidden_size", kInt, false},
			{"layout", kInt, false},
		}
		for _, name := range more {
			out = append(out, Attr{name, kInt, false})
		}
		return out
	}
	register([]Op{
		{Name: "RNN", SinceOf: layoutSince, In: Arity{3, 6}, Out: Arity{0, 2}, Attrs: attrs(), Infer: recurrent(1), Decompose: unrolled(1, rnnCell, "Tanh")},
		{
			Name: "GRU", SinceOf: layoutSince, In: Arity{3, 6}, Out: Arity{0, 2}, Attrs: attrs("linear_before_reset"),
			Infer: recurrent(3), Decompose: unrolled(3, gruCell, "Sigmoid", "Tanh"),
		},
		{
			Name: "LSTM", SinceOf: layoutSince, In: Arity{3, 8}, Out: Arity{0, 3}, Attrs: attrs("input_forget"),
			Infer: recurrent(4), Decompose: unrolled(4, lstmCell, "Sigmoid", "Tanh", "Tanh"),
		},
	})
}

var (
	kFloatList  any = []float32(nil)
	kStringList any = []string(nil)
)

// maxSteps bounds the sequence that is unrolled.
const maxSteps = 1 << 12

// layoutSince is the operator set of a recurrent operator: a batch in front came with 14.
func layoutSince(n *ir.Node) int {
	if n.Int("layout", 0) != 0 {
		return 14
	}
	return 0
}

// sequence is the geometry of a recurrent node: steps, batch and hidden size, and its directions, true for reverse.
type sequence struct {
	steps, batch, hidden int64
	reverse              []bool
	batchFirst           bool
}

// sequenceOf checks the shapes of a node with the given number of gates.
func sequenceOf(n *ir.Node, gates int64) (s sequence, err error) {
	x, w, r := n.In[0].Shape, n.In[1].Shape, n.In[2].Shape
	if len(x) != 3 || len(w) != 3 || len(r) != 3 {
		return s, fmt.Errorf("expected input, weight and recurrence of rank 3")
	}
	s = sequence{steps: x[0], batch: x[1], hidden: r[2], batchFirst: n.Int("layout", 0) != 0}
	if s.batchFirst {
		s.steps, s.batch = x[1], x[0]
	}
	switch d := n.Str("direction", "forward"); d {
	case "forward":
		s.reverse = []bool{false}
	case "reverse":
		s.reverse = []bool{true}
	case "bidirectional":
		s.reverse = []bool{false, true}
	default:
		return s, fmt.Errorf("attribute direction: %q is not known", d)
	}
	d := int64(len(s.reverse))
	if s.steps < 1 || s.steps > maxSteps {
		return s, fmt.Errorf("sequences of 1 to %d steps are unrolled, found %d", maxSteps, s.steps)
	}
	state := ir.Shape{d, s.batch, s.hidden}
	if s.batchFirst {
		state = ir.Shape{s.batch, d, s.hidden}
	}
	for i, want := range []ir.Shape{
		nil,
		{d, gates * s.hidden, x[2]},
		{d, gates * s.hidden, s.hidden},
		{d, 2 * gates * s.hidden},
		{s.batch},
		state, state,
		{d, 3 * s.hidden},
	} {
		if v := n.Input(i); v != nil && want != nil && !v.Shape.Equal(want) {
			return s, fmt.Errorf("input %d: expected shape %s, found %s", i, want, v.Shape)
		}
	}
	if h := n.Int("hidden_size", s.hidden); h != s.hidden {
		return s, fmt.Errorf("hidden_size %d differs from the recurrence, %d", h, s.hidden)
	}
	return s, nil
}

func recurrent(gates int64) func(c *Ctx) error {
	return func(c *Ctx) error {
		s, err := sequenceOf(c.Node, gates)
		if err != nil {
			return err
		}
		d := int64(len(s.reverse))
		all, last := ir.Shape{s.steps, d, s.batch, s.hidden}, ir.Shape{d, s.batch, s.hidden}
		if s.batchFirst {
			all, last = ir.Shape{s.batch, s.steps, d, s.hidden}, ir.Shape{s.batch, d, s.hidden}
		}
		for i := 1; i < 3; i++ {
			if err := c.Set(i, c.Type(0), last...); err != nil {
				return err
			}
		}
		return c.Set(0, c.Type(0), all...)
	}
}

// cell is what one step of one direction sees.
type cell struct {
	B
	n         *ir.Node
	hidden    int64
	r         *ir.Value   // [H, gates*H]
	rb        *ir.Value   // [gates*H], nil for none
	peepholes []*ir.Value // [H] each, of an LSTM; nil for none
	act       []func(*ir.Value) *ir.Value
}

// step returns the next states for the projected input of each gate and the states h and c. Where gates add up the biases of both
// sides, the input contains them. All are [N,H].
type step func(s *cell, x []*ir.Value, h, c *ir.Value) (hNext, cNext *ir.Value)

// unrolled is a decomposition into one copy of the cell for each step.
func unrolled(gates int64, f step, activations ...string) Decomposition {
	return func(b B, n *ir.Node) []*ir.Value {
		s, err := sequenceOf(n, gates)
		if err != nil {
			b.Fail("%w", err)
			return placeholders(3)
		}
		act, err := activationsOf(b, n, activations, len(s.reverse))
		if err != nil {
			b.Fail("%w", err)
			return placeholders(3)
		}
		stateAxis, timeAxis := int64(0), int64(0)
		if s.batchFirst {
			stateAxis, timeAxis = 1, 1
		}
		ys := make([][]*ir.Value, s.steps)
		var hs, cs []*ir.Value
		for d, reverse := range s.reverse {
			k := len(activations)
			u := &cell{B: b, n: n, hidden: s.hidden, act: act[d*k : (d+1)*k]}
			u.r = b.Transpose(b.part(n.In[2], 0, int64(d)), 1, 0)
			projected := b.MatMul(n.In[0], b.Transpose(b.part(n.In[1], 0, int64(d)), 1, 0))
			if bias := n.Input(3); bias != nil {
				both := b.Split(b.part(bias, 0, int64(d)), 0, gates*s.hidden, gates*s.hidden)
				projected = b.Add(projected, both[0])
				u.rb = both[1]
			}
			if p := n.Input(7); p != nil {
				u.peepholes = b.Split(b.part(p, 0, int64(d)), 0, s.hidden, s.hidden, s.hidden)
			}
			var h, c *ir.Value
			for _, state := range []struct {
				at *ir.Value
				to **ir.Value
			}{{n.Input(5), &h}, {n.Input(6), &c}} {
				if *state.to = b.Float(n.In[0], 0); state.at != nil {
					*state.to = b.part(state.at, stateAxis, int64(d))
				}
			}
			for k := range s.steps {
				t := k
				if reverse {
					t = s.steps - 1 - k
				}
				x := b.Split(b.part(projected, timeAxis, t), 1, repeated(gates, s.hidden)...)
				if k == 0 {
					h, c = b.ExpandLike(h, x[0]), b.ExpandLike(c, x[0])
				}
				hNext, cNext := f(u, x, h, c)
				y := hNext
				if lens := n.Input(4); lens != nil {
					live := b.Unsqueeze(b.Less(b.Const("step", scalarOf(lens.Type, t)), lens), 1)
					y = b.Where(live, hNext, b.Float(hNext, 0))
					hNext, cNext = b.Where(live, hNext, h), b.Where(live, cNext, c)
				}
				h, c = hNext, cNext
				ys[t] = append(ys[t], b.Unsqueeze(y, timeAxis, timeAxis+1))
			}
			hs, cs = append(hs, b.Unsqueeze(h, stateAxis)), append(cs, b.Unsqueeze(c, stateAxis))
		}
		all := make([]*ir.Value, s.steps)
		for t, y := range ys {
			all[t] = b.join(timeAxis+1, y)
		}
		return []*ir.Value{b.join(timeAxis, all), b.join(stateAxis, hs), b.join(stateAxis, cs)}
	}
}

func repeated(count, v int64) []int64 { return fill(int(count), v) }

// part is the slice i of x along axis, which is dropped.
func (b B) part(x *ir.Value, axis, i int64) *ir.Value {
	if x.Shape[axis] == 1 {
		return b.Squeeze(x, axis)
	}
	return b.Squeeze(b.Slice(x, []int64{i}, []int64{i + 1}, []int64{axis}, []int64{1}), axis)
}

// join is Concat, or the only value as it is.
func (b B) join(axis int64, x []*ir.Value) *ir.Value {
	if len(x) == 1 {
		return x[0]
	}
	return b.Concat(axis, x...)
}
