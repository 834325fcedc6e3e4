package attack

import (
	"context"
	"errors"
	"slices"
	"testing"

	"rnas/compiler/program"
	"rnas/runtime/ort"
	"rnas/runtime/ort/orttest"
)

// TestParallel checks that several sessions do to the points what one does, and how many there are.
func TestParallel(t *testing.T) {
	orttest.Open(t)
	c := convnet(t)
	s := Settings{Norm: "linf", Epsilon: 2. / 255, Seed: 8}
	points := make([]int, 45)
	for p := range points {
		points[p] = p
	}
	st := stageOf(t, "mifgsm")
	want := attacked(t, st, c, len(points), s, points...)
	for _, k := range []struct {
		batch, threads, sessions int
		fixed                    bool
	}{{32, 2, 2, false}, {64, 4, 4, false}, {31, 2, 2, false}, {7, 2, 1, false}, {32, 1, 1, false}, {32, 2, 1, true}} {
		r, err := Open(st, Setup{
			Classifier: func(int) (program.Classifier, error) { return c, nil }, Batch: k.batch, Fixed: k.fixed,
			Runtime: ort.Options{Provider: "cpu", Threads: k.threads}, Settings: s,
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := r.(parallel); max(1, len(got)) != k.sessions {
			t.Errorf("batch %d, %d threads: %d sessions, expected %d", k.batch, k.threads, len(got), k.sessions)
		}
		d := &desk{points: points, images: map[int][]float32{}, broken: map[int]bool{}}
		if err := r.Run(context.Background(), d); err != nil {
			t.Fatal(err)
		}
		if d.counts != want.counts {
			t.Errorf("batch %d: %+v, expected %+v", k.batch, d.counts, want.counts)
		}
		for p, x := range want.images {
			if !slices.Equal(d.images[p], x) {
				t.Errorf("batch %d: the image of point %d differs", k.batch, p)
			}
		}
		stopped, stop := context.WithCancel(context.Background())
		stop()
		if err := r.Run(stopped, d); !errors.Is(err, context.Canceled) {
			t.Errorf("expected a cancelled context, found %v", err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestEven checks that as few batches as with the largest one hold the points, and that a smaller one would not do.
func TestEven(t *testing.T) {
	for most := 1; most <= 40; most++ {
		for points := 1; points <= 130; points++ {
			batches := func(n int) int { return (points + n - 1) / n }
			n := even(points, most)
			if n > most || batches(n) != batches(most) || n > 1 && batches(n-1) == batches(most) {
				t.Errorf("%d points, at most %d: found %d", points, most, n)
			}
		}
	}
}
