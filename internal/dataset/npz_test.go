package dataset

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"
)

// npy makes a .npy file of a version from the text of its header.
func npy(version byte, header string, data []byte) []byte {
	file := append([]byte("\x93NUMPY"), version, 0)
	if version == 1 {
		file = binary.LittleEndian.AppendUint16(file, uint16(len(header)))
	} else {
		file = binary.LittleEndian.AppendUint32(file, uint32(len(header)))
	}
	return append(append(file, header...), data...)
}

func header(descr, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n", descr, shape)
}

func floats(values ...float32) (data []byte) {
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return data
}

func longs(values ...int64) (data []byte) {
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, uint64(v))
	}
	return data
}

func npzTree() tree {
	return tree{
		"x_train.npy": npy(1, header("|u1", "2, 1, 2, 3"), []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}),
		"y_train.npy": npy(2, header("<i8", "2,"), longs(1, 0)),
		"x_test.npy":  npy(3, header("<f4", "1,3,1,2"), floats(0, 0.1, 0.2, 0.4, 0.8, 1)),
		"y_test.npy":  npy(1, header("|u1", "1, 1"), []byte{1}),
		"other.npy":   []byte("ignored"),
	}
}

func TestNPZ(t *testing.T) {
	s := open(t, "npz:"+save(t, "x.npz", npzTree().zip(t)), 0)
	checkInvariants(t, s)
	// Training images are N,H,W,C, test images N,C,H,W.
	if want := []uint8{1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12}; s.Train.Shape != [3]int{3, 1, 2} || !slices.Equal(s.Train.Images, want) {
		t.Errorf("training images %v of %v, want %v", s.Train.Images, s.Train.Shape, want)
	}
	if want := []float32{0, 0.1, 0.2, 0.4, 0.8, 1}; !slices.Equal(s.Test.Floats, want) || s.Test.Images != nil {
		t.Errorf("test images %v and %v, want %v", s.Test.Floats, s.Test.Images, want)
	}
	if !slices.Equal(s.Train.Labels, []int32{1, 0}) || !slices.Equal(s.Test.Labels, []int32{1}) || len(s.Train.Classes) != 2 {
		t.Errorf("labels %v and %v, classes %v", s.Train.Labels, s.Test.Labels, s.Train.Classes)
	}
}

func TestNPZGrey(t *testing.T) {
	files := npzTree().with("x_train.npy", npy(1, header("|u1", "2,1,2"), []byte{1, 2, 3, 4}))
	files["x_test.npy"] = npy(1, header("|u1", "1,1,2,1"), []byte{5, 6})
	s := open(t, "npz:"+save(t, "x.npz", files.zip(t)), 0)
	if s.Train.Shape != [3]int{1, 1, 2} || !slices.Equal(s.Train.Images, []uint8{1, 2, 3, 4}) || !slices.Equal(s.Test.Images, []uint8{5, 6}) {
		t.Errorf("images %v and %v of %v", s.Train.Images, s.Test.Images, s.Train.Shape)
	}
}

func TestLabelTypes(t *testing.T) {
	for descr, data := range map[string][]byte{
		"|u1": {200, 1}, "|i1": {127, 1}, "<u2": {0x10, 0x27, 1, 0}, "<i2": {0x10, 0x27, 1, 0},
		"<u4": {0x10, 0x27, 0, 0, 1, 0, 0, 0}, "<i4": {0x10, 0x27, 0, 0, 1, 0, 0, 0}, "<i8": longs(10000, 1), "<u8": longs(10000, 1),
	} {
		a, err := parseLabels(descr, data)
		want := []int64{10000, 1}
		if len(data) == 2 {
			want[0] = int64(data[0])
		}
		if err != nil || !slices.Equal(a.ints, want) {
			t.Errorf("%s: labels %v, %v, want %v", descr, a.ints, err, want)
		}
	}
	for descr, data := range map[string][]byte{"|i1": {0xff}, "<i2": {0xff, 0xff}, "<i4": {0xff, 0xff, 0xff, 0xff}, "<i8": longs(-1)} {
		if a, err := parseLabels(descr, data); err != nil || a.ints[0] != -1 {
			t.Errorf("%s: label %v, %v, want -1", descr, a.ints, err)
		}
	}
}

// The test part alone suffices, under any of its usual names, and floats of any width and range are kept.
func TestNPZOfTest(t *testing.T) {
	double := func(values ...float64) (data []byte) {
		for _, v := range values {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
		}
		return data
	}
	labels := npy(1, header("<i8", "2"), longs(3, 1))
	want := []float32{0, 0.3 / 255, 0.25, 1}
	for _, test := range []struct {
		x, y, options, descr string
		data                 []byte
	}{
		{"x_test", "y_test", "", "<f8", double(0, 0.3/255, 0.25, 1)},
		{"x_test", "y_test", "", "<f4", floats(0, 0.3/255, 0.25, 1)},
		{"images", "labels", "?pixels=0..255", "<f8", double(0, 0.3, 63.75, 255)},
		{"x", "y", "?pixels=-1..1", "<f8", double(-1, 0.6/255-1, -0.5, 1)},
	} {
		files := tree{test.x + ".npy": npy(1, header(test.descr, "2,1,1,2"), test.data), test.y + ".npy": labels}
		s := open(t, "npz:"+save(t, "x.npz", files.zip(t))+test.options, 0)
		if s.Train.Len() != 0 || s.Train.Shape != s.Test.Shape || len(s.Test.Classes) != 4 || !s.Test.Numbered || !slices.Equal(s.Test.Labels, []int32{3, 1}) {
			t.Errorf("%s: training part %+v, test part %+v", test.x, s.Train, s.Test)
		}
		for i, v := range s.Test.Floats {
			if math.Abs(float64(v-want[i])) > 1e-7 {
				t.Errorf("%s of %s: found %v, want %v", test.x, test.descr, s.Test.Floats, want)
				break
			}
		}
	}
	refuse(t, "npz:"+save(t, "x.npz", tree{"x_test.npy": npy(1, header("<f4", "1,1,1,2"), floats(7, 200)), "y_test.npy": labels}.zip(t)),
		"expected values in [0, 1], found 0 to 200; for values of 0..255 add ?pixels=0..255 to the data source")
	nan := float32(math.NaN())
	refuse(t, "npz:"+save(t, "x.npz", tree{"x_test.npy": npy(1, header("<f4", "1,1,1,2"), floats(7, nan)), "y_test.npy": labels}.zip(t)), "element 1: expected a number")
}

func TestNPZErrors(t *testing.T) {
	good := npzTree()
	pixels := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	for _, test := range []struct {
		files  tree
		wanted []string
	}{
		{good.without("y_test.npy"), []string{"expected y_test.npy, found none"}},
		{good.with("x_train.npy", []byte("PNG")), []string{"x_train.npy: expected a .npy header, found \"PNG\""}},
		{good.with("x_train.npy", npy(9, header("|u1", "2,1,2,3"), pixels)), []string{"expected .npy version 1, 2 or 3, found 9"}},
		{good.with("x_train.npy", []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff{}")), []string{"expected a header of 4294967295 bytes, found a file of 14 bytes"}},
		{good.with("x_train.npy", npy(1, "{'descr': '|u1'}", pixels)), []string{"expected descr, fortran_order and shape"}},
		{good.with("x_train.npy", npy(1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2,1,2,3)}", pixels)), []string{"found Fortran order"}},
		{good.with("x_train.npy", npy(1, header("|u1", "2,1,2,4"), pixels)), []string{"x_train.npy: shape [2 1 2 4] of |u1: expected 1*2*1*2*4 bytes of data, found 12"}},
		{good.with("x_train.npy", npy(1, header("|u1", "4294967296,4294967296"), pixels)), []string{"1*4294967296*4294967296 bytes of data, found 12"}},
		{good.with("x_train.npy", npy(1, header("|u1", "99999999999999999999"), pixels)), []string{"x_train.npy: shape (99999999999999999999)", "out of range"}},
		{good.with("x_train.npy", npy(1, header(">f4", "2,1,2,3"), pixels)), []string{`expected a little-endian dtype of uint8, floats or integers, found ">f4"`}},
		{good.with("x_train.npy", npy(1, header("<i2", "1,1,2,3"), pixels)), []string{"expected images of uint8 or floats, found <i2"}},
		{good.with("x_train.npy", npy(1, header("|u1", "2,6"), pixels)), []string{"x_train.npy: expected the shape N,H,W", "found [2 6]"}},
		{good.with("x_train.npy", npy(1, header("|u1", "2,2,1,1,3"), pixels)), []string{"found [2 2 1 1 3]"}},
		{good.with("x_test.npy", npy(1, header("<f4", "1,1,2,3"), floats(0, 0, 0, 0, 0, 1.5))), []string{"x_test.npy: expected values in [0, 1], found 0 to 1.5; images that were normalised"}},
		{good.with("x_test.npy", npy(1, header("<f4", "1,1,2,3"), floats(0, float32(math.NaN()), 0, 0, 0, 0))), []string{"element 1", "found NaN"}},
		{good.with("y_train.npy", npy(1, header("<f4", "2"), floats(0, 1))), []string{"y_train.npy: expected integer labels, found <f4"}},
		{good.with("y_train.npy", npy(1, header("<i8", "2"), longs(0, -1))), []string{"y_train.npy: element 1: expected a label from 0 to 65535, found -1"}},
		{good.with("y_train.npy", npy(1, header("<i8", "2"), longs(0, 1<<40))), []string{"element 1: expected a label from 0 to 65535"}},
		{good.with("y_train.npy", npy(1, header("|u1", "2,2"), []byte{0, 0, 1, 1})), []string{"expected the shape 2 for as many images in x_train.npy, found [2 2]"}},
		{good.with("y_train.npy", npy(1, header("|u1", ""), []byte{0})), []string{"y_train.npy: expected the shape 2", "found []"}},
	} {
		refuse(t, "npz:"+save(t, "x.npz", test.files.zip(t)), test.wanted...)
	}
	refuse(t, "npz:"+save(t, "x.npz", good.zip(t)[:300]), "zip: not a valid zip file")
	refuse(t, "npz:"+save(t, "x.npz", nil), "found a file of 0 bytes")
}

func FuzzNPY(f *testing.F) {
	good := npzTree()
	f.Add(good["x_train.npy"], good["y_train.npy"])
	f.Add(good["x_test.npy"], good["y_test.npy"])
	f.Add(npy(1, header("|u1", "4294967296,4294967296"), nil), npy(2, header("<i8", "0"), nil))
	f.Fuzz(func(t *testing.T, images, labels []byte) {
		s, err := parseNPZ(map[string][]byte{"x_train.npy": images, "y_train.npy": labels, "x_test.npy": images, "y_test.npy": labels}, Spec{})
		if err == nil {
			checkInvariants(t, s)
		}
	})
}
