package dataset

import (
	"context"
	"iter"

	"rnas/internal/rng"
)

// Loader cuts epochs of a data set into batches, which a goroutine makes ahead of their use. Order and content of the
// batches depend only on the fields and the epoch.
type Loader struct {
	Data     *Dataset
	Batch    int // images a batch, at least 1
	Shuffle  bool
	DropLast bool // leave out a last batch that is short
	Augment  Augment
	Seed     uint64
}

// Batch is a part of an epoch. The slices are valid until the next batch is asked for. Those of a short last batch have
// zeros from their length up to the capacity of a whole batch, for graphs of a fixed batch size.
type Batch struct {
	Step   int       // number in the epoch, from 0
	Index  []int     // [N] places in the data set
	Images []float32 // [N, C, H, W] in [0, 1]
	Labels []int64   // [N]
}

// Steps returns the number of batches in an epoch.
func (l *Loader) Steps() int {
	if l.DropLast {
		return l.Data.Len() / l.Batch
	}
	return (l.Data.Len() + l.Batch - 1) / l.Batch
}

// Order returns the images of an epoch in the order of their use: the permutation of the stream (Seed, Shuffle, epoch,
// 0, 0), or 0, 1, 2, ... without Shuffle.
func (l *Loader) Order(epoch int) []int {
	if l.Shuffle {
		s := rng.New(l.Seed, rng.Shuffle, epoch, 0, 0)
		return s.Perm(l.Data.Len())
	}
	order := make([]int, l.Data.Len())
	for i := range order {
		order[i] = i
	}
	return order
}

// Epoch yields the batches of an epoch from number first on. A goroutine makes up to two batches ahead in buffers that
// are used again; the goroutine ends with the loop, also after a break. A cancelled ctx ends the loop early; the caller
// asks ctx.Err().
func (l *Loader) Epoch(ctx context.Context, epoch, first int) iter.Seq[Batch] {
	return func(yield func(Batch) bool) {
		const buffers = 3 // one in use, two ahead
		free, ready := make(chan Batch, buffers), make(chan Batch, buffers)
		for range buffers {
			free <- Batch{Images: make([]float32, l.Batch*l.Data.Elems()), Labels: make([]int64, l.Batch)}
		}
		ctx, cancel := context.WithCancel(ctx)
		go func() {
			defer close(ready)
			order := l.Order(epoch)
			for step := first; step < l.Steps() && ctx.Err() == nil; step++ {
				select {
				case <-ctx.Done():
				case b := <-free:
					l.fill(&b, order, epoch, step)
					ready <- b
				}
			}
		}()
		defer func() {
			cancel()
			for range ready { // until the goroutine has ended
			}
		}()
		for b := range ready {
			if ctx.Err() != nil || !yield(b) {
				return
			}
			free <- b
		}
	}
}

// fill makes batch number step in b.
func (l *Loader) fill(b *Batch, order []int, epoch, step int) {
	start := step * l.Batch
	n := min(l.Batch, len(order)-start)
	b.Step, b.Index = step, order[start:start+n]
	images, labels := b.Images[:cap(b.Images)], b.Labels[:cap(b.Labels)]
	l.Data.Fill(images, labels, b.Index, l.Augment, l.Seed, epoch)
	clear(images[n*l.Data.Elems():])
	clear(labels[n:])
	b.Images, b.Labels = images[:n*l.Data.Elems()], labels[:n]
}
