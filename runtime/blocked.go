package runtime

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/compiler/pass"
	"rnas/export"
	"rnas/internal/tensor"
)

var blocks struct {
	sync.Mutex
	tested bool
	size   int64
	err    error
}

// BlockSize is the number of channels per block of the CPU provider's blocked layout on this machine, as pass.Blocked
// takes it. It is 0, with the reason as an error, when the loaded library does not have that layout, or does not compute
// in it what it computes in the plain one. The test runs once per process.
func BlockSize() (int64, error) {
	blocks.Lock()
	defer blocks.Unlock()
	if !blocks.tested {
		size, err := testBlocks()
		if errors.Is(err, ErrNoLibrary) {
			return 0, err
		}
		blocks.tested, blocks.size, blocks.err = true, size, err
	}
	return blocks.size, blocks.err
}

// testBlocks finds the block size and compares blocked graphs with plain ones. All numbers are small integers, so that
// the results are exact.
func testBlocks() (int64, error) {
	size, err := findBlock()
	if err != nil {
		return 0, fmt.Errorf("blocked layout: %w", err)
	}
	var results [2][]*tensor.Tensor
	for i, passes := range [][]pass.Pass{nil, {pass.Blocked(size)}} {
		g, err := blockSample(size)
		if err != nil {
			return 0, err
		}
		if err := pass.Run(g, passes); err != nil {
			return 0, err
		}
		if results[i], err = runOnce(g, 11); err != nil {
			return 0, fmt.Errorf("blocked layout: %w", err)
		}
	}
	if !slices.EqualFunc(results[0], results[1], tensor.Equal) {
		return 0, fmt.Errorf("blocked layout: results for blocks of %d channels differ from those of the plain layout", size)
	}
	return size, nil
}

// findBlock looks where the second pixel of the first channel goes: right behind the first pixels of its block.
func findBlock() (int64, error) {
	const channels = 64
	b := op.NewB("block_size")
	x := b.Input("x", ir.Float32, 1, channels, 1, 2)
	b.Output("y", b.DomainNode(op.Blocked, "ReorderInput", ir.Attrs{op.Block: int64(1)}, 1, x)[0])
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

// blockSample has a depthwise convolution of every kind that training uses, with its gradients.
func blockSample(block int64) (*ir.Graph, error) {
	b := op.NewB("block_sample")
	x, w := b.Input("x", ir.Float32, 2, 2*block, 7, 9), b.Input("w", ir.Float32, 2*block, 1, 3, 3)
	for i, c := range []op.Conv2D{op.Same(3, 1, 1), op.Same(3, 2, 1), op.Same(3, 1, 2), op.Same(3, 2, 2)} {
		c.Group = x.Shape[1]
		y := b.Relu(b.Conv(x, w, nil, c))
		b.Output(fmt.Sprintf("y%d", i), y)
		planes := x.Shape[0] * x.Shape[1]
		image := b.Reshape(x, 1, planes, x.Shape[2], x.Shape[3])
		kernel := b.Reshape(y, planes, 1, y.Shape[2], y.Shape[3])
		d := op.Conv2D{
			Kernel: [2]int64{y.Shape[2], y.Shape[3]}, Stride: max(c.Dilation, 1), Dilation: max(c.Stride, 1), Pads: c.Pads, Group: planes,
		}
		b.Output(fmt.Sprintf("d%d", i), b.Conv(image, kernel, nil, d))
	}
	return b.Build()
}

// runOnce runs a graph on the CPU; every input counts from 0, modulo period.
func runOnce(g *ir.Graph, period int) ([]*tensor.Tensor, error) {
	model, err := export.Marshal(g, export.Options{})
	if err != nil {
		return nil, err
	}
	s, err := NewSession(model, Options{Threads: 1, Optimize: LevelOff})
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
