package loop

import (
	"context"
	"slices"
	"testing"

	"rnas/compiler/program"
	"rnas/internal/dataset"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

type buffers map[string]*tensor.Tensor

func (b buffers) Input(name string) *tensor.Tensor { return b[name] }

func synthetic(t *testing.T) *dataset.Dataset {
	t.Helper()
	return open(t, "synthetic:classes=4,size=16,train=22,test=4")
}

func open(t *testing.T, source string) *dataset.Dataset {
	t.Helper()
	s, err := dataset.Open(context.Background(), source, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Train
}

func newBuffers(f Feed) buffers {
	images := int64(f.Loader.Batch * f.Loader.Data.Elems())
	return buffers{
		"images": tensor.Zeros(tensor.Float32, images),
		"labels": tensor.Zeros(tensor.Int64, int64(f.Loader.Batch)),
		"noise":  tensor.Zeros(tensor.Float32, images),
	}
}

// take reads count batches from number first on: images, labels and noise, one after the other.
func take(f Feed, first, count int) (out [][]float32) {
	to := newBuffers(f)
	s := f.Start(first)
	defer s.Close()
	for range count {
		s.Next(to)
		row := slices.Concat(to["images"].Float32s(), to["noise"].Float32s())
		for _, l := range to["labels"].Int64s() {
			row = append(row, float32(l))
		}
		out = append(out, row)
	}
	return out
}

func feed(d *dataset.Dataset, batch, steps int) Feed {
	return Feed{
		Loader: dataset.Loader{Data: d, Batch: batch, Shuffle: true, DropLast: true, Augment: dataset.Augment{Crop: 2, Flip: true}, Seed: 9},
		Steps:  steps,
		Extras: []Extra{PerImage(program.Noise{Kind: program.Sign, Size: 0.5}, "noise", batch, d.Elems(), 1, 9, rng.Noise, 1)},
	}
}

func TestStreamStartsAnywhere(t *testing.T) {
	d := synthetic(t)
	for _, steps := range []int{5, 3} { // all batches of an epoch, and a part of them
		f := feed(d, 4, steps)
		all := take(f, 0, 12)
		if slices.Equal(all[0], all[steps]) {
			t.Error("two epochs are equal")
		}
		for _, first := range []int{1, 4, 5, 9} {
			for i, b := range take(f, first, 3) {
				if !slices.Equal(b, all[first+i]) {
					t.Errorf("%d steps an epoch, from %d: batch %d differs", steps, first, first+i)
				}
			}
		}
	}
}

// The noise of an image does not depend on the size of the batch.
func TestNoisePerImage(t *testing.T) {
	d := synthetic(t)
	n := d.Elems()
	one, two := take(feed(d, 2, 5), 0, 4), take(feed(d, 4, 5), 0, 2)
	for i := range 8 {
		a := one[i/2][(2+i%2)*n:][:n]
		b := two[i/4][(4+i%4)*n:][:n]
		if !slices.Equal(a, b) {
			t.Errorf("image %d: the noise differs", i)
		}
	}
}

func TestNoiseKinds(t *testing.T) {
	for _, c := range []struct {
		n                  program.Noise
		variance, low, top float64
	}{
		{program.Noise{Kind: program.Uniform, Size: 0.3}, 0.03, -0.3, 0.3},
		{program.Noise{Kind: program.Gaussian, Size: 0.3}, 0.09, -3, 3},
		{program.Noise{Kind: program.Sign, Size: 0.3}, 0.09, -0.30001, 0.30001},
		{program.Noise{}, 0, 0, 0},
	} {
		v := make([]float32, 1<<14)
		for i := range v {
			v[i] = 7
		}
		s := rng.New(1, rng.Probe, 0, 0, 0)
		c.n.Fill(&s, v)
		sum := 0.0
		for _, x := range v {
			sum += float64(x) * float64(x)
		}
		if got := sum / float64(len(v)); got < 0.95*c.variance || got > 1.05*c.variance {
			t.Errorf("%+v: expected variance %v, found %v", c.n, c.variance, got)
		}
		if low, top := float64(slices.Min(v)), float64(slices.Max(v)); low < c.low || top > c.top {
			t.Errorf("%+v: found %v to %v", c.n, low, top)
		}
	}
	for _, n := range []program.Noise{{Kind: "salt", Size: 0.1}, {Kind: program.Uniform, Size: -1}, {Kind: program.Sign, Size: 2}} {
		if n.Validate() == nil {
			t.Errorf("%+v: expected an error", n)
		}
	}
}

func TestNextDoesNotAllocate(t *testing.T) {
	f := feed(open(t, "synthetic:classes=4,size=16,train=1000,test=4"), 2, 500)
	to := newBuffers(f)
	s := f.Start(0)
	defer s.Close()
	if n := testing.AllocsPerRun(400, func() { s.Next(to) }); n != 0 {
		t.Errorf("expected no allocations a batch, found %v", n)
	}
}
