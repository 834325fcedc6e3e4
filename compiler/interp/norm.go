package interp

import (
	"fmt"
	"math"
	"slices"

	"rnas/compiler/op"
	"rnas/internal/tensor"
)

var normKernels = map[string]kernel{
	"BatchNormalization": batchNorm,
	"MatMul":             matMul,
	"Gemm":               gemm,
	"Dropout":            dropout,
}

// batchNorm normalises by the given statistics or, in training mode, by mean and biased variance of the batch. In training mode it
// also gives the running statistics, old*momentum + batch*(1-momentum).
func batchNorm(c *call) ([]*array, error) {
	x, gain, bias, mean, variance := c.in[0], c.in[1], c.in[2], c.in[3], c.in[4]
	for _, a := range c.in {
		if !a.dtype.IsFloat() {
			return nil, undefinedFor(a)
		}
	}
	outer, channels, inner := blocks(x.shape, 1)
	out, err := zeros(x.dtype, x.shape)
	if err != nil {
		return nil, err
	}
	runMean, runVar := mean, variance
	if c.Int("training_mode", 0) != 0 {
		mean, variance = moments(x, outer, channels, inner)
		keep := float64(c.Float("momentum", 0.9))
		runMean, runVar = mix(runMean, mean, keep), mix(runVar, variance, keep)
	}
	eps := float64(c.Float("epsilon", 1e-5))
	for o := range outer {
		for ch := range channels {
			k := gain.f[ch] / math.Sqrt(variance.f[ch]+eps)
			at := (o*channels + ch) * inner
			for j, v := range x.f[at : at+inner] {
				out.f[at+j] = (v-mean.f[ch])*k + bias.f[ch]
			}
		}
	}
	return []*array{out, runMean, runVar}, nil
}

// moments are mean and biased variance per channel, in two passes.
func moments(x *array, outer, channels, inner int) (mean, variance *array) {
	mean = &array{dtype: x.dtype, shape: []int64{int64(channels)}, f: make([]float64, channels)}
	variance = &array{dtype: x.dtype, shape: []int64{int64(channels)}, f: make([]float64, channels)}
	n := float64(outer * inner)
	for ch := range channels {
		total := 0.0
		for o := range outer {
			total += sum(x.f[(o*channels+ch)*inner:][:inner])
		}
		m, squares := total/n, 0.0
		for o := range outer {
			for _, v := range x.f[(o*channels+ch)*inner:][:inner] {
				squares += (v - m) * (v - m)
			}
		}
		mean.f[ch], variance.f[ch] = m, squares/n
	}
	return mean, variance
}

func mix(old, batch *array, keep float64) *array {
	out := &array{dtype: old.dtype, shape: old.shape, f: make([]float64, len(old.f))}
	for k := range out.f {
		out.f[k] = old.f[k]*keep + batch.f[k]*(1-keep)
	}
	return out
}

func matMul(c *call) ([]*array, error) {
	a, b := c.in[0], c.in[1]
	if a.dtype == tensor.Bool {
		return nil, undefinedFor(a)
	}
	sa, sb := a.shape, b.shape
	if len(sa) == 1 {
		sa = []int64{1, sa[0]}
	}
	if len(sb) == 1 {
		sb = []int64{sb[0], 1}
	}
	la, lb := len(sa)-2, len(sb)-2
	m, k, n := sa[la], sa[la+1], sb[lb+1]
	if sb[lb] != k {
		return nil, fmt.Errorf("inner sizes %d and %d differ", k, sb[lb])
	}
	batch, err := op.Broadcast(sa[:la], sb[:lb])
	if err != nil {
		return nil, err
	}
	out, err := zeros(a.dtype, slices.Concat(batch, []int64{m, n}))
	if err != nil {
		return nil, err
	}
	at, bt := expansion(sa[:la], batch), expansion(sb[:lb], batch)
	mi, ki, ni := int(m), int(k), int(n)
	if a.dtype.IsFloat() {
		multiply(out.f, a.f, b.f, at, bt, mi, ki, ni)
	} else {
		multiply(out.i, a.i, b.i, at, bt, mi, ki, ni)
		for j, v := range out.i {
			out.i[j] = wrap(a.dtype, v)
		}
	}
	shape := slices.Clone(batch)
	if len(a.shape) > 1 {
		shape = append(shape, m)
	}
	if len(b.shape) > 1 {
		shape = append(shape, n)
	}
	return one(out.view(shape)), nil
}

// multiply computes out[i] = a[at[i]] * b[bt[i]] for matrices of m by k and k by n, summing in the order of k.
func multiply[T int64 | float64](out, a, b []T, at, bt []int, m, k, n int) {
	parallel(len(at)*m, k*n, func(p int) {
		batch, row := p/m, p%m
		dst := out[p*n : (p+1)*n]
		left := a[(at[batch]*m+row)*k:][:k]
		right := b[bt[batch]*k*n:][:k*n]
		for i, x := range left {
			for j, y := range right[i*n : (i+1)*n] {
				dst[j] += x * y
			}
		}
	})
}

// gemm is alpha*A'*B' + beta*C, where a prime is a transposition if the node says so.
func gemm(c *call) ([]*array, error) {
	a, b, bias := c.in[0], c.in[1], c.arg(2)
	if c.Int("transA", 0) != 0 {
		a = permute(a, []int64{1, 0})
	}
	if c.Int("transB", 0) != 0 {
		b = permute(b, []int64{1, 0})
	}
	results, err := matMul(&call{Node: c.Node, in: []*array{a, b}})
	if err != nil {
		return nil, err
	}
	out := results[0]
	alpha, beta := float64(c.Float("alpha", 1)), float64(c.Float("beta", 1))
	if !out.dtype.IsFloat() {
		if alpha != 1 || beta != 1 {
			return nil, fmt.Errorf("alpha and beta are not defined for %s", out.dtype)
		}
		if bias == nil {
			return one(out), nil
		}
		out, err = combine(out, bias, nil, addInt)
		return one(out), err
	}
	for k := range out.f {
		out.f[k] *= alpha
	}
	if bias == nil {
		return one(out), nil
	}
	out, err = combine(out, bias, func(x, y float64) float64 { return x + beta*y }, nil)
	return one(out), err
}

// dropout is the identity with a mask of ones. Training mode with a ratio over 0 draws random numbers that ONNX does not
// define, and is an error.
func dropout(c *call) ([]*array, error) {
	x := c.in[0]
	ratio := 0.5
	if a := c.arg(1); a != nil {
		if a.len() != 1 {
			return nil, fmt.Errorf("ratio: expected one number, found shape %v", a.shape)
		}
		ratio = a.float(0)
	}
	if a := c.arg(2); a != nil {
		training, err := a.scalar()
		if err != nil {
			return nil, fmt.Errorf("training_mode: %w", err)
		}
		if training != 0 && ratio != 0 {
			return nil, fmt.Errorf("training mode with ratio %v is random and not supported", ratio)
		}
	}
	mask, err := zeros(tensor.Bool, x.shape)
	if err != nil {
		return nil, err
	}
	for k := range mask.i {
		mask.i[k] = 1
	}
	return []*array{x, mask}, nil
}
