package dataset

import (
	"context"
	"iter"
	"runtime"
	"slices"
	"testing"
)

func TestLoaderEqualsFill(t *testing.T) {
	d := random(50, [3]int{3, 6, 6})
	for _, batch := range []int{1, 7, 10, 50, 64} {
		l := &Loader{Data: d, Batch: batch, Shuffle: true, Augment: Augment{Crop: 1, Flip: true, Cutout: 2}, Seed: 9}
		order := l.Order(3)
		want, wantLabels := make([]float32, 50*d.Elems()), make([]int64, 50)
		d.Fill(want, wantLabels, order, l.Augment, 9, 3)
		var images []float32
		var labels []int64
		var index []int
		steps := 0
		for b := range l.Epoch(context.Background(), 3, 0) {
			if b.Step != steps {
				t.Fatalf("step %d, want %d", b.Step, steps)
			}
			steps++
			images, labels, index = append(images, b.Images...), append(labels, b.Labels...), append(index, b.Index...)
			if cap(b.Images) != batch*d.Elems() || cap(b.Labels) != batch {
				t.Fatalf("capacity %d and %d for a batch of %d", cap(b.Images), cap(b.Labels), batch)
			}
			for _, v := range b.Images[len(b.Images):cap(b.Images)] {
				if v != 0 {
					t.Fatalf("padding holds %v", v)
				}
			}
			for range 3 {
				runtime.Gosched()
			}
		}
		if steps != l.Steps() || !slices.Equal(images, want) || !slices.Equal(labels, wantLabels) || !slices.Equal(index, order) {
			t.Errorf("batches of %d differ from direct filling", batch)
		}
	}
}

func TestLoaderOrder(t *testing.T) {
	d := random(20, [3]int{1, 1, 1})
	plain := &Loader{Data: d, Batch: 3}
	identity := plain.Order(0)
	for i, v := range identity {
		if i != v {
			t.Fatalf("order without shuffle %v", identity)
		}
	}
	shuffled := &Loader{Data: d, Batch: 3, Shuffle: true}
	a, b := shuffled.Order(0), shuffled.Order(1)
	if slices.Equal(a, b) || slices.Equal(a, identity) || !slices.Equal(a, shuffled.Order(0)) {
		t.Errorf("orders %v and %v", a, b)
	}
	slices.Sort(a)
	if !slices.Equal(a, identity) {
		t.Errorf("order is no permutation: %v", a)
	}
}

func TestLoaderDropLastAndFirst(t *testing.T) {
	l := &Loader{Data: random(20, [3]int{1, 2, 2}), Batch: 6}
	if l.Steps() != 4 {
		t.Errorf("%d steps, want 4", l.Steps())
	}
	l.DropLast = true
	if l.Steps() != 3 {
		t.Errorf("%d steps without the last, want 3", l.Steps())
	}
	var seen []int
	for b := range l.Epoch(context.Background(), 0, 2) {
		seen = append(seen, b.Index...)
	}
	if want := []int{12, 13, 14, 15, 16, 17}; !slices.Equal(seen, want) {
		t.Errorf("from batch 2: %v, want %v", seen, want)
	}
}

func TestLoaderStops(t *testing.T) {
	l := &Loader{Data: random(100, [3]int{1, 2, 2}), Batch: 1}
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	steps := 0
	for b := range l.Epoch(ctx, 0, 0) {
		if steps++; b.Step == 4 {
			cancel()
		}
	}
	if steps != 5 {
		t.Errorf("%d batches, want 5 until the cancel", steps)
	}
	for range l.Epoch(context.Background(), 0, 0) {
		break
	}
	next, stop := iter.Pull(l.Epoch(context.Background(), 0, 0))
	next()
	stop()
	for range 1000 { // the goroutine is gone a moment after it has closed its channel
		if runtime.NumGoroutine() <= before {
			break
		}
		runtime.Gosched()
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, %d before", after, before)
	}
}
