package runtime

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"rnas/compiler/cpu"
	"rnas/compiler/grad"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
	"rnas/export"
	"rnas/internal/tensor"
	"rnas/runtime/ort"
)

var tested struct {
	sync.Mutex
	done bool
	size int64
	err  error
}

// BlockSize is the number of channels of a block in NCHWc on this machine, which cpu.NCHWc takes. It is 0, with the reason as an
// error, if the loaded library does not have that layout, or does not compute in it what it computes in NCHW. The test runs once
// per process.
func BlockSize() (int64, error) {
	tested.Lock()
	defer tested.Unlock()
	if !tested.done {
		size, err := testNCHWc()
		if errors.Is(err, ort.ErrNoLibrary) {
			return 0, err
		}
		tested.done, tested.size, tested.err = true, size, err
	}
	return tested.size, tested.err
}

// testNCHWc finds the block size and compares the results of a graph in NCHWc with those in NCHW.
func testNCHWc() (int64, error) {
	size, err := findBlock()
	if err != nil {
		return 0, fmt.Errorf("NCHWc: %w", err)
	}
	var results [2][]*tensor.Tensor
	for i, passes := range [][]pass.Pass{nil, {cpu.NCHWc(size)}} {
		g, err := nchwcSample(size)
		if err != nil {
			return 0, err
		}
		if err := pass.Run(g, passes); err != nil {
			return 0, err
		}
		if results[i], err = runOnce(g, 11); err != nil {
			return 0, fmt.Errorf("NCHWc: %w", err)
		}
	}
	for i, plain := range results[0] {
		if d := distance(plain.Float32s(), results[1][i].Float32s()); !(d < 1e-4) {
			return 0, fmt.Errorf("NCHWc: output %d differs from the plain one by %g of its size", i, d)
		}
	}
	return size, nil
}

// distance is the largest difference over the largest absolute value of x.
func distance(x, y []float32) float64 {
	diff, size := 0.0, 0.0
	for i, v := range x {
		diff, size = max(diff, math.Abs(float64(v-y[i]))), max(size, math.Abs(float64(v)))
	}
	return diff / size
}

// findBlock looks where the second pixel of the first channel goes: right behind the first pixels of its block.
func findBlock() (int64, error) {
	const channels = 64
	b := op.NewB("block_size")
	x := b.Input("x", ir.Float32, 1, channels, 1, 2)
	b.Output("y", b.DomainNode(op.NCHWc, "ReorderInput", ir.Attrs{op.Block: int64(1)}, 1, x)[0])
	g, err := b.Build()
	if err != nil {
		return 0, err
	}
	y, err := runOnce(g, 2*channels)
	if err != nil {
		return 0, err
	}
	size := int64(slices.Index(y[0].Float32s(), 1))
	if size < 2 || channels%size != 0 {
		return 0, fmt.Errorf("no blocks of channels found")
	}
	return size, nil
}

// nchwcSample has every operator that graphs use in NCHWc: depthwise, pointwise and dense convolutions with and without bias, of
// images too, addition and Relu, their gradients, pooling and normalisation.
func nchwcSample(block int64) (*ir.Graph, error) {
	b := op.NewB("block_sample")
	channels := 2 * block
	x, bias := b.Input("x", ir.Float32, 2, channels, 7, 9), b.Input("bias", ir.Float32, channels)
	depthwise, pointwise := b.Input("depthwise", ir.Float32, channels, 1, 3, 3), b.Input("pointwise", ir.Float32, channels, channels, 1, 1)
	dense := b.Input("dense", ir.Float32, channels, channels, 3, 3)
	image, stem := b.Input("image", ir.Float32, 2, 3, 7, 9), b.Input("stem", ir.Float32, channels, 3, 3, 3)
	seen := b.Conv(image, stem, bias, op.Same(3, 1, 1))
	b.Output("seen", seen)
	b.Output("dimage", grad.Gradients(b, []*ir.Value{seen}, []*ir.Value{b.Add(seen, x)}, []*ir.Value{image})[0])
	even := b.Relu(b.Pad(x, 0, 0, 0, 0, 0, 0, 1, 1))
	half := op.Conv2D{Kernel: [2]int64{1, 1}, Stride: 2}
	reduced := b.MaxPool(b.Add(b.Conv(even, pointwise, nil, half),
		b.Conv(b.Slice(even, []int64{1, 1}, []int64{8, 10}, []int64{2, 3}, []int64{1, 1}), pointwise, nil, half)), op.Same(3, 1, 1))
	b.Output("deven", grad.Gradients(b, []*ir.Value{reduced}, []*ir.Value{reduced}, []*ir.Value{x})[0])
	// Many channels, images so wide that they are framed, and the weights of images.
	strip, stack := b.Input("strip", ir.Float32, 2, channels, 4, 16), b.Input("stack", ir.Float32, channels, 4*channels, 1, 1)
	along := op.Same(3, 1, 1)
	along.Group = channels
	parts := slices.Repeat([]*ir.Value{b.Conv(b.Relu(b.Conv(strip, depthwise, nil, along)), pointwise, nil, op.Conv2D{Kernel: [2]int64{1, 1}})}, 4)
	wide := b.Conv(b.Relu(b.Concat(1, parts...)), stack, nil, op.Conv2D{Kernel: [2]int64{1, 1}})
	for i, v := range grad.Gradients(b, []*ir.Value{wide, seen}, []*ir.Value{b.MaxPool(wide, op.Same(3, 1, 1)), seen}, []*ir.Value{strip, depthwise, pointwise, stack, stem}) {
		b.Output(fmt.Sprintf("dwide%d", i), v)
	}
	for i, c := range []op.Conv2D{op.Same(3, 1, 1), op.Same(3, 2, 1), op.Same(3, 1, 2), op.Same(3, 2, 2)} {
		d := c
		d.Group = channels
		y := b.Relu(b.Conv(x, depthwise, nil, d))
		y = b.Conv(y, pointwise, bias, op.Conv2D{Kernel: [2]int64{1, 1}})
		y = b.Relu(b.Add(y, b.Conv(x, dense, bias, c)))
		norm, mean, variance := b.BatchNormTrain(y, bias, bias, b.Fill(bias, 0, channels), b.Fill(bias, 0, channels), 1e-5)
		parts := []*ir.Value{norm, b.MaxPool(norm, op.Same(3, 1, 1)), b.AveragePool(norm, op.Same(3, 1, 1))}
		results := []*ir.Value{b.Concat(1, parts...), b.GlobalAveragePool(norm)}
		dx := grad.Gradients(b, results, results, []*ir.Value{x, depthwise, pointwise})
		for k, v := range append(parts, mean, variance, results[1], b.MaxPool(norm, op.Same(3, 2, 1))) {
			b.Output(fmt.Sprintf("y%d.%d", i, k), v)
		}
		for k, v := range dx {
			b.Output(fmt.Sprintf("dx%d.%d", i, k), v)
		}
	}
	return b.Build()
}

// runOnce runs a graph on the CPU; every input counts from 0, modulo period.
func runOnce(g *ir.Graph, period int) ([]*tensor.Tensor, error) {
	model, err := export.Marshal(g, export.Options{})
	if err != nil {
		return nil, err
	}
	s, err := ort.NewSession(model, ort.Options{Threads: 1, Optimize: ort.LevelOff})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	in := make([]*tensor.Tensor, len(g.Inputs))
	for i, v := range g.Inputs {
		in[i] = tensor.Zeros(v.Type, v.Shape...)
		for k := range in[i].Float32s() {
			in[i].Float32s()[k] = float32(k % period)
		}
	}
	return s.RunAlloc(in)
}
