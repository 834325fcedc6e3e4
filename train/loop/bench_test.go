package loop

import (
	"context"
	"fmt"
	"testing"

	"rnas/compiler/program"
	"rnas/internal/dataset"
	"rnas/internal/rng"
)

// BenchmarkStream times what a step waits for its batch of 64 images, with the noise of a search beside, while nothing else
// computes: the time that making it takes, as two are made ahead.
func BenchmarkStream(b *testing.B) {
	s, err := dataset.Open(context.Background(), "synthetic:classes=10,size=32,train=4096,test=10", dataset.Options{})
	if err != nil {
		b.Fatal(err)
	}
	const batch = 64
	for _, extras := range [][]Extra{nil, {PerImage(program.Noise{Kind: program.Sign, Size: 0.5}, "noise", batch, s.Train.Elems(), 1, 9, rng.Noise, 1)}} {
		b.Run(fmt.Sprintf("extras=%d", len(extras)), func(b *testing.B) {
			f := Feed{
				Loader: dataset.Loader{Data: s.Train, Batch: batch, Shuffle: true, DropLast: true, Augment: dataset.Augment{Crop: 4, Flip: true}, Seed: 9},
				Steps:  s.Train.Len() / batch,
				Extras: extras,
			}
			to, stream := newBuffers(f), f.Start(0)
			defer stream.Close()
			b.ReportAllocs()
			for b.Loop() {
				stream.Next(to)
			}
		})
	}
}
