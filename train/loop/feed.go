package loop

import (
	"context"
	"fmt"

	"rnas/compiler/lower"
	"rnas/internal/dataset"
	"rnas/internal/tensor"
)

// Fits checks that a network reads the images of a data set and tells its classes apart.
func Fits(m lower.Macro, d *dataset.Dataset) error {
	found := [4]int{d.Shape[0], d.Shape[1], d.Shape[2], len(d.Classes)}
	if want := [4]int{m.Depth, m.Height, m.Width, m.Classes}; want != found {
		return fmt.Errorf("data %s: the network expects images %dx%dx%d of %d classes, found %dx%dx%d of %d", d.Name,
			want[0], want[1], want[2], want[3], found[0], found[1], found[2], found[3])
	}
	return nil
}

// Feed is an endless sequence of whole batches with what a program needs besides images and labels. Batch number n is
// batch n mod Steps of epoch n / Steps of the loader.
type Feed struct {
	Loader dataset.Loader // leaves out a short last batch
	Steps  int            // batches an epoch, from 1 to those of Loader
	Extras []Extra
}

// Extra is a further input of a program, made on the host.
type Extra struct {
	Input string // its name
	Len   int    // number of float32 values
	// Fill writes all values for the images at index of an epoch.
	Fill func(dst []float32, epoch int, index []int)
}

// packet is a batch ready to be copied into a program.
type packet struct {
	images []float32
	labels []int64
	extras [][]float32
}

// Stream makes batches of a feed ahead of their use, in buffers that are used again.
type Stream struct {
	feed        Feed
	free, ready chan packet
	cancel      context.CancelFunc
}

// Start begins at batch number first. Close must be called.
func (f Feed) Start(first int) *Stream {
	const ahead = 2
	ctx, cancel := context.WithCancel(context.Background())
	s := &Stream{feed: f, free: make(chan packet, ahead), ready: make(chan packet, ahead), cancel: cancel}
	for range ahead {
		p := packet{
			images: make([]float32, f.Loader.Batch*f.Loader.Data.Elems()),
			labels: make([]int64, f.Loader.Batch),
		}
		for _, x := range f.Extras {
			p.extras = append(p.extras, make([]float32, x.Len))
		}
		s.free <- p
	}
	go s.run(ctx, first)
	return s
}

func (s *Stream) run(ctx context.Context, first int) {
	defer close(s.ready)
	for epoch, step := first/s.feed.Steps, first%s.feed.Steps; ctx.Err() == nil; epoch, step = epoch+1, 0 {
		for b := range s.feed.Loader.Epoch(ctx, epoch, step) {
			if b.Step >= s.feed.Steps {
				break
			}
			select {
			case <-ctx.Done():
			case p := <-s.free:
				copy(p.images, b.Images)
				copy(p.labels, b.Labels)
				for i, x := range s.feed.Extras {
					x.Fill(p.extras[i], epoch, b.Index)
				}
				s.ready <- p
			}
		}
	}
}

// Inputs are the buffers of a program.
type Inputs interface {
	Input(name string) *tensor.Tensor
}

// Next copies the next batch into the inputs images, labels and those of the extras that the program has.
func (s *Stream) Next(to Inputs) {
	p := <-s.ready
	copy(to.Input("images").Float32s(), p.images)
	copy(to.Input("labels").Int64s(), p.labels)
	for i, x := range s.feed.Extras {
		if in := to.Input(x.Input); in != nil {
			copy(in.Float32s(), p.extras[i])
		}
	}
	s.free <- p
}

// Close ends the stream and waits for its goroutine.
func (s *Stream) Close() {
	s.cancel()
	for range s.ready { // until the goroutine has ended
	}
}
