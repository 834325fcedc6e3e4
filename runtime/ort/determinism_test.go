package ort_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"rnas/internal/tensor"
	"rnas/runtime/ort"
)

func noise(seed uint64, shape ...int64) *tensor.Tensor {
	t := tensor.Zeros(tensor.Float32, shape...)
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range t.Float32s() {
		t.Float32s()[i] = float32(r.NormFloat64())
	}
	return t
}

// kernels are the operators that training and attacks spend their time in, on shapes of a small network.
func kernels() map[string]graph {
	out := map[string]graph{}
	add := func(name, op string, attrs []attr, y value, in ...value) {
		g := graph{nodes: []node{{op: op, name: name, out: []string{"y"}, attrs: attrs}}, in: in, out: []value{y}}
		for _, v := range in {
			g.nodes[0].in = append(g.nodes[0].in, v.name)
		}
		out[name] = g
	}
	pads := attr{"pads", []int64{1, 1, 1, 1}}
	add("matmul", "MatMul", nil, f32("y", 129, 65), f32("a", 129, 700), f32("b", 700, 65))
	add("conv 3x3", "Conv", []attr{pads}, f32("y", 8, 32, 16, 16), f32("x", 8, 16, 16, 16), f32("w", 32, 16, 3, 3))
	add("conv depthwise", "Conv", []attr{pads, {"group", int64(16)}}, f32("y", 8, 16, 16, 16), f32("x", 8, 16, 16, 16), f32("w", 16, 1, 3, 3))
	add("conv weight gradient", "Conv", []attr{{"group", int64(64)}}, f32("y", 1, 64, 3, 3), f32("x", 1, 64, 18, 18), f32("w", 64, 1, 16, 16))
	add("conv transpose", "ConvTranspose", []attr{pads}, f32("y", 8, 16, 16, 16), f32("x", 8, 32, 16, 16), f32("w", 32, 16, 3, 3))
	add("gemm", "Gemm", []attr{{"transA", int64(1)}}, f32("y", 100, 10), f32("a", 640, 100), f32("b", 640, 10))
	add("gemm wide", "Gemm", []attr{{"transA", int64(1)}}, f32("y", 16, 64), f32("a", 5000, 16), f32("b", 5000, 64))
	add("gemm few rows", "Gemm", []attr{{"transA", int64(1)}}, f32("y", 5, 5), f32("a", 50000, 5), f32("b", 50000, 5))
	add("matmul wide", "MatMul", nil, f32("y", 16, 64), f32("a", 16, 5000), f32("b", 5000, 64))
	add("reduce all", "ReduceSum", []attr{{"keepdims", int64(0)}}, f32("y"), f32("x", 100003))
	add("reduce inner", "ReduceMean", []attr{{"axes", []int64{2, 3}}}, f32("y", 8, 16, 1, 1), f32("x", 8, 16, 33, 33))
	add("reduce outer", "ReduceMean", []attr{{"axes", []int64{0, 2, 3}}}, f32("y", 1, 16, 1, 1), f32("x", 32, 16, 33, 33))
	add("softmax", "LogSoftmax", nil, f32("y", 64, 1000), f32("x", 64, 1000))
	add("max pool", "MaxPool", []attr{{"kernel_shape", []int64{3, 3}}, pads}, f32("y", 8, 16, 33, 33), f32("x", 8, 16, 33, 33))
	add("average pool", "AveragePool", []attr{{"kernel_shape", []int64{3, 3}}, pads}, f32("y", 8, 16, 33, 33), f32("x", 8, 16, 33, 33))
	return out
}

// Results must not depend on the number of threads, nor change from run to run, apart from the exception that the
// package documentation names: a wide MatMul of two computed operands.
func TestThreadCountDoesNotMatter(t *testing.T) {
	all := kernels()
	for _, name := range []string{
		"matmul", "conv 3x3", "conv depthwise", "conv weight gradient", "conv transpose", "gemm", "gemm wide", "gemm few rows",
		"matmul wide", "reduce all", "reduce inner", "reduce outer", "softmax", "max pool", "average pool",
	} {
		for _, constant := range []bool{false, true} {
			if name == "matmul wide" && !constant {
				continue
			}
			t.Run(fmt.Sprintf("%s/constant=%v", name, constant), func(t *testing.T) {
				g := all[name]
				var in []*tensor.Tensor
				for i, v := range g.in {
					in = append(in, noise(uint64(i+1), v.shape...))
				}
				if last := len(in) - 1; constant && last > 0 {
					g.weight(g.in[last].name, in[last])
					g.in, in = g.in[:last], in[:last]
				}
				var first *tensor.Tensor
				for _, threads := range []int{1, 2, 3, 4, 7} {
					s := open(t, g.model(17), ort.Options{Threads: threads})
					for range 3 {
						out, err := s.RunAlloc(in)
						if err != nil {
							t.Fatal(err)
						}
						if first == nil {
							first = out[0]
						}
						if !tensor.Equal(first, out[0]) {
							t.Fatalf("%d threads: result differs from that of one thread", threads)
						}
					}
				}
			})
		}
	}
}
