package dataset

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
)

func open(t *testing.T, spec string, workers int) *Splits {
	t.Helper()
	s, err := Open(context.Background(), spec, Options{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSyntheticGoldenDigest(t *testing.T) {
	s := open(t, "synthetic:train=60,test=40,seed=1", 0)
	if got, want := s.Train.Digest()+" "+s.Test.Digest(), "17cf257d276e121d7b49a0c56e7f1eee38c6fd9e3ec3ded196dca75397677c17 ec5b54897d0353c8c1e1beb0c2be59d55eadfda46649db3b53678089c6feb3e7"; got != want {
		t.Errorf("digests %s, want %s", got, want)
	}
}

func TestSyntheticIndependentOfWorkersAndSize(t *testing.T) {
	a, b := open(t, "synthetic:train=300,test=100", 1), open(t, "synthetic:train=200,test=150", 3)
	if n := 200 * a.Train.Elems(); !slices.Equal(a.Train.Images[:n], b.Train.Images) {
		t.Error("training images depend on the number of workers or images")
	}
	if n := 100 * a.Test.Elems(); !slices.Equal(a.Test.Images, b.Test.Images[:n]) {
		t.Error("test images depend on the number of workers or images")
	}
	if n := 100 * a.Test.Elems(); slices.Equal(a.Test.Images, a.Train.Images[:n]) {
		t.Error("test images are training images")
	}
	if a.Train.Digest() == open(t, "synthetic:train=300,test=100,seed=1", 0).Train.Digest() {
		t.Error("the seed does not matter")
	}
}

func TestSyntheticOptions(t *testing.T) {
	s := open(t, "synthetic:classes=20,size=24,train=50,test=40,limit=30", 0)
	if s.Train.Len() != 30 || s.Test.Len() != 30 || s.Train.Shape != [3]int{3, 24, 24} || len(s.Train.Classes) != 20 {
		t.Errorf("found %d and %d images of %v in %d classes", s.Train.Len(), s.Test.Len(), s.Train.Shape, len(s.Train.Classes))
	}
	if got := s.Train.Classes[7]; got != "vertical triangle" {
		t.Errorf("class 7 is %q", got)
	}
}

func TestSyntheticShapeStandsOut(t *testing.T) {
	// The mean contrast of shape and background, from the centre of plain discs against the corners of the image.
	s := open(t, "synthetic:classes=20,train=400,test=20", 0)
	d := s.Train
	var contrast float64
	var n int
	for i := 15; i < d.Len(); i += 20 { // plain disc
		for c := range 3 {
			plane := d.Images[i*d.Elems()+c*1024:][:1024]
			corners := (float64(plane[0]) + float64(plane[31]) + float64(plane[992]) + float64(plane[1023])) / 4
			contrast += math.Abs(float64(plane[16*32+16])-corners) / 255
			n++
		}
	}
	if contrast /= float64(n); contrast < 0.25 {
		t.Errorf("mean contrast %.3f, want at least 0.25", contrast)
	}
}

// Class means of pixels must tell little (the set is not trivially separable), class means of local edge strengths, the
// simplest thing a convolution computes, far more than chance.
func TestSyntheticNearestCentroid(t *testing.T) {
	s := open(t, "synthetic:train=2000,test=1000", 0)
	if right := nearestCentroid(s, pixels); right > 250 {
		t.Errorf("pixel means have %d of 1000 right, want at most 250", right)
	}
	if right := nearestCentroid(s, edges); right < 250 || right > 700 {
		t.Errorf("edge means have %d of 1000 right, want 250 to 700", right)
	}
}

func pixels(image []uint8) []float64 {
	features := make([]float64, len(image))
	for i, v := range image {
		features[i] = float64(v)
	}
	return features
}

// edges are the mean absolute differences along x and along y in cells of 8x8 pixels.
func edges(image []uint8) []float64 {
	features := make([]float64, 32)
	for i, v := range image {
		x, y := i%32, i/32%32
		cell := y/8*4 + x/8
		if x < 31 {
			features[cell] += math.Abs(float64(v) - float64(image[i+1]))
		}
		if y < 31 {
			features[16+cell] += math.Abs(float64(v) - float64(image[i+32]))
		}
	}
	return features
}

// nearestCentroid returns how many test images are nearest to the mean of their own class.
func nearestCentroid(s *Splits, features func([]uint8) []float64) (right int) {
	elems := s.Train.Elems()
	mean := make([][]float64, len(s.Train.Classes))
	for i, label := range s.Train.Labels {
		for p, v := range features(s.Train.Images[i*elems : (i+1)*elems]) {
			if p >= len(mean[label]) {
				mean[label] = append(mean[label], 0)
			}
			mean[label][p] += v * float64(len(mean)) / float64(s.Train.Len())
		}
	}
	for i, label := range s.Test.Labels {
		f := features(s.Test.Images[i*elems : (i+1)*elems])
		best, nearest := math.Inf(1), 0
		for k, m := range mean {
			var distance float64
			for p, v := range f {
				distance += (v - m[p]) * (v - m[p])
			}
			if distance < best {
				best, nearest = distance, k
			}
		}
		if nearest == int(label) {
			right++
		}
	}
	return right
}

func TestSyntheticCancelAndProgress(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	last, calls := 0, 0
	_, err := Open(ctx, "synthetic:train=1000,test=1000", Options{Workers: 2, Progress: func(done, total int) {
		if done < last || total != 2000 {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
		if calls++; calls == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || last == 2000 {
		t.Errorf("after %d images the error is %v", last, err)
	}
}
