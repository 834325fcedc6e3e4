package dataset

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// idx makes an IDX file of bytes.
func idx(data []byte, dims ...uint32) []byte {
	file := []byte{0, 0, 8, byte(len(dims))}
	for _, n := range dims {
		file = binary.BigEndian.AppendUint32(file, n)
	}
	return append(file, data...)
}

func idxTree() tree {
	return tree{
		"train-images-idx3-ubyte": idx([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 2, 2, 3),
		"train-labels-idx1-ubyte": idx([]byte{2, 0}, 2),
		"t10k-images-idx3-ubyte":  idx([]byte{21, 22, 23, 24, 25, 26}, 1, 2, 3),
		"t10k-labels-idx1-ubyte":  idx([]byte{1}, 1),
	}
}

func TestIDX(t *testing.T) {
	plain := idxTree()
	zipped, dotted := tree{}, tree{}
	for name, data := range plain {
		zipped[name+".gz"] = gzipped(data)
		dotted[strings.Replace(name, "-idx", ".idx", 1)] = data
	}
	places := plain.under("MNIST/raw").forms(t)
	places["gz"], places["dotted"] = zipped.folder(t), dotted.folder(t)
	for form, place := range places {
		s := open(t, "idx:"+place, 0)
		checkInvariants(t, s)
		if s.Train.Shape != [3]int{1, 2, 3} || !slices.Equal(s.Train.Classes, []string{"0", "1", "2"}) {
			t.Errorf("%s: shape %v, classes %v", form, s.Train.Shape, s.Train.Classes)
		}
		if !slices.Equal(s.Train.Images, []uint8{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}) || !slices.Equal(s.Train.Labels, []int32{2, 0}) {
			t.Errorf("%s: images %v, labels %v", form, s.Train.Images, s.Train.Labels)
		}
		if !slices.Equal(s.Test.Images, []uint8{21, 22, 23, 24, 25, 26}) || !slices.Equal(s.Test.Labels, []int32{1}) {
			t.Errorf("%s: test images %v, labels %v", form, s.Test.Images, s.Test.Labels)
		}
	}
}

func TestIDXErrors(t *testing.T) {
	good := idxTree()
	const images, labels = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
	for _, test := range []struct {
		files  tree
		wanted []string
	}{
		{good.without(labels), []string{"expected " + labels + ", plain or .gz, found none"}},
		{good.with(images, []byte{0, 0, 8}), []string{images + ": expected a header of 16 bytes, found 3"}},
		{good.with(images, idx(nil, 2, 2)), []string{images + ": expected a header of 16 bytes, found 12"}},
		{good.with(images, append([]byte{0, 0, 13, 3}, good[images][4:]...)), []string{"expected the magic number 0x00000803, found 0x00000d03"}},
		{good.with(images, idx([]byte{1, 2}, 1<<31, 1<<31, 1<<31)), []string{"2147483648*2147483648*2147483648 bytes of data after the header, found 2"}},
		{good.with(images, good[images][:20]), []string{"expected 2*2*3 bytes of data after the header, found 4"}},
		{good.with(images, idx(nil, 2, 0, 3)), []string{"expected images of 1 to 4096 pixels a side, found the shape [2 0 3]"}},
		{good.with(images, idx(nil, 0, 2, 3)).with(labels, idx(nil, 0)), []string{images, "found the shape [0 2 3]"}},
		{good.with(labels, idx([]byte{1, 0, 2}, 3)), []string{labels + ": expected the shape 2 for as many images in " + images + ", found [3]"}},
		{good.with("t10k-images-idx3-ubyte", idx([]byte{1, 2, 3, 4}, 1, 2, 2)), []string{"t10k-images-idx3-ubyte: images of shape [1 2 2], expected [1 2 3] as in " + images}},
		{good.with(images, gzipped(good[images])[:20]), []string{images + ": unexpected EOF"}},
		{good.with(images, gzipped(idx(make([]byte, 100<<20), 100, 1024, 1024))), []string{images, "expand to more than"}},
	} {
		refuse(t, "idx:"+test.files.folder(t), test.wanted...)
	}
}

func FuzzIDX(f *testing.F) {
	good := idxTree()
	f.Add(good["train-images-idx3-ubyte"], good["train-labels-idx1-ubyte"])
	f.Add(gzipped(good["train-images-idx3-ubyte"]), idx([]byte{255, 3}, 2))
	f.Add(idx(nil, 1<<31, 1<<31, 1<<31), idx(nil, 0))
	f.Fuzz(func(t *testing.T, images, labels []byte) {
		s, err := parseIDX(map[string][]byte{idxFiles[0]: images, idxFiles[1]: labels, idxFiles[2]: images, idxFiles[3]: labels})
		if err == nil {
			checkInvariants(t, s)
		}
	})
}
