package dataset

import (
	"context"
	"image/color"
	"slices"
	"strings"
	"testing"
)

func TestShrink(t *testing.T) {
	d := &Dataset{Classes: []string{"a"}, Shape: [3]int{2, 2, 4}, Labels: []int32{0}, Images: []uint8{
		0, 1, 10, 10,
		1, 1, 10, 11,
		255, 255, 0, 0,
		255, 254, 1, 0,
	}}
	s, err := d.Shrink(1)
	if err == nil && !slices.Equal(s.Images, []uint8{6, 128}) { // 44/8 = 5.5 and 1020/8 = 127.5
		t.Errorf("found %v", s.Images)
	}
	if err != nil || s.Shape != [3]int{2, 1, 1} {
		t.Errorf("found %v, %v", s, err)
	}
	if s, err = d.Shrink(2); err != nil || !slices.Equal(s.Images, []uint8{1, 10, 1, 11, 255, 0, 255, 1}) {
		t.Errorf("found %v, %v", s, err)
	}
	for _, size := range []int{0, 3, 4} {
		if _, err := d.Shrink(size); err == nil || !strings.Contains(err.Error(), "expected a divisor of the 2 and 4 pixels") {
			t.Errorf("%d: found %v", size, err)
		}
	}
}

// The option of a source gives what Shrink gives.
func TestOpenShrinks(t *testing.T) {
	dot := func(v uint8) []byte { return pngBytes(solid(4, 4, color.NRGBA{v, 1, 2, 255})) }
	path := tree{"train/a/0.png": dot(9), "train/b/0.png": dot(8), "test/a/0.png": dot(7), "test/b/0.png": dot(6)}.folder(t)
	whole, err := Open(context.Background(), "folder:"+path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	small, err := Open(context.Background(), "folder:"+path+"?size=2", Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := whole.Train.Shrink(2)
	if err != nil || want.Digest() != small.Train.Digest() || small.Test.Shape != want.Shape {
		t.Errorf("found %v and %v, %v", small.Train.Shape, small.Test.Shape, err)
	}
	if _, err := Open(context.Background(), "folder:"+path+"?size=3", Options{}); err == nil || !strings.Contains(err.Error(), path+": size: expected a divisor") {
		t.Errorf("found %v", err)
	}
}
