package op

import (
	"fmt"
	"math"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

func init() {
	register([]Op{
		{
			Name: "Attention", Since: 23, In: Arity{3, 7}, Out: Arity{1, 4}, SinceOf: func(n *ir.Node) int {
				if n.Input(6) != nil {
					return 24
				}
				return 23
			},
			Attrs: []Attr{
				{"is_causal", kInt, false},
				{"kv_num_heads", kInt, false},
				{"q_num_heads", kInt, false},
				{"qk_matmul_output_mode", kInt, false},
				{"scale", kFloat, false},
				{"softcap", kFloat, false},
				{"softmax_precision", kInt, false},
			},
			Decompose: attention,
		},
		{
			Name: "RotaryEmbedding", Since: 23, In: Arity{3, 4}, Out: Arity{1, 1},
			Attrs: []Attr{
				{"interleaved", kInt, false},
				{"num_heads", kInt, false},
				{"rotary_embedding_dim", kInt, false},
			},
			Decompose: rotaryEmbedding,
		},
	})
}

// heads turns [N,S,heads*D] into [N,heads,S,D]; a tensor of four dimensions stays as it is.
func heads(b B, x *ir.Value, count int64) *ir.Value {
	if x.Rank() != 3 {
		return x
	}
	if count < 1 || x.Shape[2]%count != 0 {
		b.Fail("%d heads do not divide %s", count, x.Shape)
		return x
	}
	return b.Transpose(b.Reshape(x, 0, x.Shape[1], count, x.Shape[2]/count), 0, 2, 1, 3)
}

// attention is scaled dot-product attention (Vaswani et al. 2017, section 3.2) with grouped heads, cached keys and values,
// masks and a soft cap of the scores.
func attention(b B, n *ir.Node) []*ir.Value {
	q, k, v := n.In[0], n.In[1], n.In[2]
	packed := q.Rank() == 3
	if q.Rank() != k.Rank() || k.Rank() != v.Rank() || !packed && q.Rank() != 4 {
		b.Fail("expected query, key and value of rank 3 or 4")
		return placeholders(4)
	}
	qHeads, kvHeads := n.Int("q_num_heads", 0), n.Int("kv_num_heads", 0)
	q, k, v = heads(b, q, qHeads), heads(b, k, kvHeads), heads(b, v, kvHeads)
	past := int64(0)
	if cached := n.Input(4); cached != nil {
		past = cached.Shape[2]
		k = b.Concat(2, cached, k)
	}
	if cached := n.Input(5); cached != nil {
		v = b.Concat(2, cached, v)
	}
	if b.Err() != nil {
		return placeholders(4)
	}
	presentKey, presentValue := k, v
	qHeads, kvHeads = q.Shape[1], k.Shape[1]
	if kvHeads < 1 || qHeads%kvHeads != 0 {
		b.Fail("%d heads of keys do not divide %d of queries", kvHeads, qHeads)
		return placeholders(4)
	}
	k, v = repeatHeads(b, k, qHeads/kvHeads), repeatHeads(b, v, qHeads/kvHeads)
	scale := float64(n.Float("scale", float32(math.NaN())))
	if math.IsNaN(scale) {
		scale = 1 / math.Sqrt(float64(q.Shape[3]))
	}
	scores := b.MatMul(b.Scale(q, scale), b.Transpose(k, 0, 1, 3, 2)) // [N,heads,S,T]
	stages := []*ir.Value{scores}
	if limit := float64(n.Float("softcap", 0)); limit > 0 {
		scores = b.Scale(b.Tanh(b.Scale(scores, 1/limit)), limit)
	}
	stages = append(stages, scores)
	scores = masked(b, n, scores, past)
	stages = append(stages, scores)
	wide := scores
	if t := n.Int("softmax_precision", 0); t != 0 {
		wide = b.Cast(scores, ir.DType(t))
	}
	weights := b.Cast(b.Softmax(wide, -1), scores.Type)
	stages = append(stages, weights)
	y := b.MatMul(weights, v)
	if packed && b.Err() == nil {
		y = b.Transpose(y, 0, 2, 1, 3)
		y = b.Reshape(y, 0, y.Shape[1], y.Shape[2]*y.Shape[3])
	}
	mode := n.Int("qk_matmul_output_mode", 0)
	if mode < 0 || mode > 3 {
		b.Fail("attribute qk_matmul_output_mode: expected 0 to 3, found %d", mode)
		return placeholders(4)
	}
	return []*ir.Value{y, presentKey, presentValue, stages[mode]}
}

// repeatHeads repeats every head of x [N,H,S,D] in a row, once for each head of queries that shares it.
func repeatHeads(b B, x *ir.Value, times int64) *ir.Value {
	if times == 1 {
		return x
	}
	h, s, d := x.Shape[1], x.Shape[2], x.Shape[3]
	return b.Reshape(b.Expand(b.Unsqueeze(x, 2), 1, 1, times, 1, 1), 0, h*times, s, d)
}

// masked adds -Inf to scores that a query must not see.
func masked(b B, n *ir.Node, scores *ir.Value, past int64) *ir.Value {
	rows, columns := scores.Shape[2], scores.Shape[3]
	never, zero := b.Float(scores, math.Inf(-1)), b.Float(scores, 0)
	if m := n.Input(3); m != nil {
		if m.Type == ir.Bool {
			m = b.Where(m, zero, never)
		}
		if short := columns - m.Shape[m.Rank()-1]; short > 0 {
			pads := make([]int64, 2*m.Rank())
			pads[len(pads)-1] = short
			m = b.One("Pad", nil, m, b.Ints(pads...), never)
		}
		scores = b.Add(scores, m)
	}
	if n.Int("is_causal", 0) != 0 {
		seen := make([]bool, rows*columns)
		for i := range seen {
			seen[i] = int64(i)%columns <= int64(i)/columns+past
		}
		mask := b.Const("causal", &tensor.Tensor{Shape: []int64{rows, columns}, Data: seen})
		scores = b.Add(scores, b.Where(mask, zero, never))
	}
	if lens := n.Input(6); lens != nil {
		places := make([]int64, columns)
		for i := range places {
			places[i] = int64(i)
		}
		live := b.Less(b.Ints(places...), b.Unsqueeze(b.Cast(lens, ir.Int64), 1, 2, 3))
		scores = b.Add(scores, b.Where(live, zero, never))
	}
	return scores
}

// rotaryEmbedding turns pairs of coordinates by angles that grow with the position (Su et al. 2021, section 3.2.2).
func rotaryEmbedding(b B, n *ir.Node) []*ir.Value {
	x, cos, sin := n.In[0], n.In[1], n.In[2]
	headAxis := int64(1)
	switch x.Rank() {
	case 3:
		count := n.Int("num_heads", 0)
		if count < 1 || x.Shape[2]%count != 0 {
			b.Fail("%d heads do not divide %s", count, x.Shape)
			return placeholders(1)
		}
		headAxis, x = 2, b.Reshape(x, 0, x.Shape[1], count, x.Shape[2]/count)
	case 4:
	default:
		b.Fail("expected rank 3 or 4, found %s", x.Shape)
		return placeholders(1)
	}
	if ids := n.Input(3); ids != nil {
		cos, sin = b.Gather(cos, ids, 0), b.Gather(sin, ids, 0)
	}
	cos, sin = b.Unsqueeze(cos, headAxis), b.Unsqueeze(sin, headAxis)
	size := x.Shape[3]
	turned := n.Int("rotary_embedding_dim", 0)
	if turned == 0 {
		turned = size
	}
	if turned < 2 || turned%2 != 0 || turned > size {
		b.Fail("%s", fmt.Sprintf("rotary_embedding_dim %d: expected an even number up to %d", turned, size))
		return placeholders(1)
	}
	cut := func(x *ir.Value, from, to, step int64) *ir.Value {
		return b.Slice(x, []int64{from}, []int64{to}, []int64{3}, []int64{step})
	}
	interleaved := n.Int("interleaved", 0) != 0
	first, second := cut(x, 0, turned/2, 1), cut(x, turned/2, turned, 1)
	if interleaved {
		first, second = cut(x, 0, turned, 2), cut(x, 1, turned, 2)
	}
	re := b.Sub(b.Mul(cos, first), b.Mul(sin, second))
	im := b.Add(b.Mul(sin, first), b.Mul(cos, second))
	y := b.Concat(3, re, im)
	if interleaved && b.Err() == nil {
		y = b.Reshape(b.Concat(4, b.Unsqueeze(re, 4), b.Unsqueeze(im, 4)), 0, re.Shape[1], re.Shape[2], turned)
	}
	if turned < size {
		y = b.Concat(3, y, cut(x, turned, size, 1))
	}
	if b.Err() != nil {
		return placeholders(1)
	}
	return []*ir.Value{b.ReshapeLike(y, n.In[0])}
}
