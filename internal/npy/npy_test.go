package npy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/internal/tensor"
)

func encode(t testing.TB, x *tensor.Tensor) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, x); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	var want []Array
	for _, d := range descrs {
		for i, x := range []*tensor.Tensor{
			tensor.FromFloat64s(d.dtype, []int64{2, 3}, []float64{0, 1, 2, 3, 4, 5}),
			tensor.FromFloat64s(d.dtype, []int64{2}, []float64{1, 0}),
			tensor.FromFloat64s(d.dtype, nil, []float64{1}),
			tensor.Zeros(d.dtype, 0, 4),
		} {
			want = append(want, Array{d.name + strings.Repeat("x", i), x})
		}
	}
	a, b := filepath.Join(dir, "a.npz"), filepath.Join(dir, "b.npz")
	for _, path := range []string{a, b} {
		if err := WriteNPZ(path, want); err != nil {
			t.Fatal(err)
		}
	}
	first, _ := os.ReadFile(a)
	second, _ := os.ReadFile(b)
	if len(first) == 0 || !bytes.Equal(first, second) {
		t.Error("two calls give different bytes")
	}
	got, err := ReadNPZ(a)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("got %d arrays, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i].Name != want[i].Name || !tensor.Equal(got[i].Tensor, want[i].Tensor) {
			t.Errorf("array %d: got %s %v, want %s %v", i, got[i].Name, got[i].Tensor, want[i].Name, want[i].Tensor)
		}
	}
}

// TestHeaderOfNumPy compares with the bytes that numpy.save writes.
func TestHeaderOfNumPy(t *testing.T) {
	for _, c := range []struct {
		x    *tensor.Tensor
		want string
	}{
		{tensor.Zeros(tensor.Float32, 2, 3), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"},
		{tensor.Zeros(tensor.Bool, 1), "{'descr': '|b1', 'fortran_order': False, 'shape': (1,), }"},
		{tensor.Zeros(tensor.Int64), "{'descr': '<i8', 'fortran_order': False, 'shape': (), }"},
	} {
		data := encode(t, c.x)
		if len(data) != 128+len(tensor.Bytes(c.x)) || data[127] != '\n' {
			t.Errorf("%s: data does not start at byte 128", c.want)
		}
		if got := strings.TrimRight(string(data[10:128]), " \n"); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func file(version byte, header string, data ...byte) []byte {
	out := append([]byte(magic), version, 0)
	if version == 1 {
		out = binary.LittleEndian.AppendUint16(out, uint16(len(header)))
	} else {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(header)))
	}
	return append(append(out, header...), data...)
}

func TestOrders(t *testing.T) {
	for _, c := range []struct {
		data []byte
		want *tensor.Tensor
	}{
		{file(1, "{'descr': '>i2', 'fortran_order': False, 'shape': (2,)}", 1, 2, 3, 4), tensor.Vector[int16](0x102, 0x304)},
		{file(2, "{'shape': (2, 3), 'fortran_order': True, 'descr': '|u1', }\n", 1, 2, 3, 4, 5, 6), tensor.Of[uint8]([]int64{2, 3}, 1, 3, 5, 2, 4, 6)},
		{file(3, "{'descr': '|u1', 'fortran_order': True, 'shape': (2,), }", 1, 2), tensor.Vector[uint8](1, 2)},
	} {
		got, err := Decode(c.data)
		if err != nil {
			t.Error(err)
			continue
		}
		if !tensor.Equal(got, c.want) {
			t.Errorf("got %v, want %v", got, c.want)
		}
	}
}

func TestBadArrays(t *testing.T) {
	const f4 = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }"
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, "not a .npy file"},
		{[]byte("PK\x03\x04 and so on"), "not a .npy file"},
		{file(9, f4), "format version 9 is not supported"},
		{file(1, f4)[:40], "the file has 30 left"},
		{file(1, f4, 1, 2, 3), "float32[1] needs 4 bytes, found 3"},
		{file(1, f4, 1, 2, 3, 4, 5), "float32[1] needs 4 bytes, found 5"},
		{file(1, strings.Replace(f4, "1,", "1000000000000,", 1)), "needs 4000000000000 bytes, found 0"},
		{file(1, strings.Replace(f4, "1,", "99999999999999999999,", 1)), "is no list of sizes"},
		{file(1, strings.Replace(f4, "1,", "4000000000, 4000000000", 1)), "too many elements"},
		{file(1, strings.Replace(f4, "1,", ",,", 1)), "is no list of sizes"},
		{file(1, strings.Replace(f4, "1,", "-1,", 1)), "expected descr of a number type"},
		{file(1, strings.Replace(f4, "<f4", "|O", 1)), `type "O" is not supported`},
		{file(1, strings.Replace(f4, "<f4", "<c8", 1)), `type "c8" is not supported`},
		{file(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"), "expected descr of a number type"},
		{file(1, "__import__('os')"), "expected descr of a number type"},
	} {
		if _, err := Decode(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want %s", err, c.want)
		}
	}
}

func TestBadArchives(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, entries ...string) string {
		path := filepath.Join(dir, name)
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, e := range entries {
			f, err := z.Create(e)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write(encode(t, tensor.Vector[float32](1))); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		write("other.npz", "a.txt"):          `entry "a.txt" is no array`,
		write("twice.npz", "a.npy", "a.npy"): `array "a" is there twice`,
		text:                                 "not a valid zip file",
		filepath.Join(dir, "none.npz"):       "no such file",
	} {
		if _, err := ReadNPZ(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %s", path, err, want)
		}
	}
	x := tensor.Vector[float32](1)
	for want, arrays := range map[string][]Array{
		`array "a" is there twice`:              {{"a", x}, {"a", x}},
		`array "s": npy: string cannot`:         {{"s", tensor.Vector("s")}},
		`array "b": npy: bfloat16 cannot be st`: {{"b", tensor.Zeros(tensor.BFloat16, 1)}},
	} {
		if err := WriteNPZ(filepath.Join(dir, "w.npz"), arrays); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
}

func TestReadNPZOfNumPy(t *testing.T) {
	arrays, err := ReadNPZ("../../testdata/torch/NASNet_C4_L6.npz")
	if err != nil {
		t.Fatal(err)
	}
	x, y := arrays[0], arrays[1]
	if x.Name != "x" || x.Tensor.DType() != tensor.Float32 || len(x.Tensor.Shape) != 4 || x.Tensor.Len() != 4*3*32*32 {
		t.Errorf("first array is %s %s%v", x.Name, x.Tensor.DType(), x.Tensor.Shape)
	}
	if y.Name != "y" || y.Tensor.DType() != tensor.Int64 || y.Tensor.Len() != 4 {
		t.Errorf("second array is %s %s%v", y.Name, y.Tensor.DType(), y.Tensor.Shape)
	}
	for _, v := range x.Tensor.Float32s() {
		if v < 0 || v > 1 {
			t.Fatalf("pixel %v", v)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, tensor.Of[int32]([]int64{2, 2}, 1, 2, 3, 4)))
	f.Add(file(2, "{'shape': (2, 3), 'fortran_order': True, 'descr': '>u2', }\n", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := Decode(data)
		if err != nil {
			return
		}
		again, err := Decode(encode(t, x))
		if err != nil || !tensor.Equal(again, x) {
			t.Errorf("%v was read again as %v, %v", x, again, err)
		}
	})
}
