package checkpoint

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/internal/npy"
	"rnas/internal/tensor"
)

func TestReadSafetensorsOfPyTorch(t *testing.T) {
	tensors, meta, err := ReadSafetensors("../../testdata/torch/NASNet_C4_L6.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if meta["format"] != "pt" || len(meta) != 1 {
		t.Errorf("metadata %v", meta)
	}
	arrays, err := npy.ReadNPZ("../../testdata/torch/NASNet_C4_L6.npz")
	if err != nil {
		t.Fatal(err)
	}
	shapes := map[string][]int64{}
	for _, a := range arrays {
		if name, ok := strings.CutPrefix(a.Name, "grad."); ok {
			shapes[name] = a.Tensor.Shape
		}
	}
	parameters := 0
	for _, nt := range tensors {
		want, ok := shapes[nt.Name]
		if !ok {
			continue // running statistics have no gradient
		}
		parameters++
		if nt.Tensor.DType() != tensor.Float32 || len(want) != nt.Tensor.Rank() {
			t.Errorf("%s: %s%v, its gradient has shape %v", nt.Name, nt.Tensor.DType(), nt.Tensor.Shape, want)
		}
	}
	if parameters != len(shapes) || parameters == 0 {
		t.Errorf("%d of %d parameters found", parameters, len(shapes))
	}
}

func allTypes() []Tensor {
	var out []Tensor
	for _, d := range dtypeNames {
		out = append(out,
			Tensor{"m/" + d.name, ramp(d.dtype, 2, 3)},
			Tensor{"empty <" + d.name + ">", ramp(d.dtype, 0, 3)},
			Tensor{"\"" + d.name + "\" ü", ramp(d.dtype)})
	}
	return out
}

func TestTensorsRoundTrip(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	want := allTypes()
	meta := map[string]string{"z": "1", "a": "", "k": "ü"}
	for _, path := range []string{a, b} {
		if err := WriteSafetensors(path, want, meta); err != nil {
			t.Fatal(err)
		}
	}
	first, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("two calls give different bytes")
	}
	if n := binary.LittleEndian.Uint64(first); (n+8)%8 != 0 || first[8] != '{' {
		t.Errorf("header of %d bytes is not aligned", n)
	}
	got, gotMeta, err := ReadSafetensors(a)
	if err != nil {
		t.Fatal(err)
	}
	if len(gotMeta) != len(meta) || gotMeta["k"] != "ü" {
		t.Errorf("metadata %v", gotMeta)
	}
	if len(got) != len(want) {
		t.Fatalf("got %d tensors, want %d", len(got), len(want))
	}
	found := map[string]*tensor.Tensor{}
	for _, nt := range got {
		found[nt.Name] = nt.Tensor
	}
	for _, nt := range want {
		if g := found[nt.Name]; g == nil || !tensor.Equal(g, nt.Tensor) {
			t.Errorf("%s differs", nt.Name)
		}
	}
}

func TestWriteSafetensorsErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	x := tensor.Vector[float32](1)
	for _, c := range []struct {
		tensors []Tensor
		want    string
	}{
		{[]Tensor{{"x", x}, {"x", x}}, `the name "x" is taken`},
		{[]Tensor{{"__metadata__", x}}, `the name "__metadata__" is taken`},
		{[]Tensor{{"s", tensor.Vector("a")}}, `tensor "s": string cannot be stored`},
	} {
		if err := WriteSafetensors(path, c.tensors, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want %s", err, c.want)
		}
		if _, err := os.Stat(path); err == nil {
			t.Error("a file was left")
		}
	}
}

func safetensors(header string, data int) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), make([]byte, data)...)
}

func TestBadTensors(t *testing.T) {
	const x = `"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, "0 bytes: expected a header length"},
		{[]byte{255, 0, 0, 0, 0, 0, 0, 0, '{'}, "header of 255 bytes: the file has 1 left"},
		{[]byte{0, 0, 0, 0, 0, 0, 0, 255}, "expected at most 100000000"},
		{safetensors("[]", 0), "expected a JSON object"},
		{safetensors("{", 0), "header: unexpected EOF"},
		{safetensors("{}{}", 0), "text behind the JSON object"},
		{safetensors(`{"x":3}`, 0), `tensor "x": json: cannot unmarshal number`},
		{safetensors("{"+x+","+x+"}", 4), `tensor "x" is given twice`},
		{safetensors("{"+x+"}", 3), "data from 0 to 4 of 3 bytes"},
		{safetensors("{"+x+"}", 5), "5 bytes of data, tensors take 4"},
		{safetensors(`{"x":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}`, 1), `element type "F8_E4M3" is not supported`},
		{safetensors(`{"x":{"dtype":"F32","data_offsets":[0,4]}}`, 4), "expected a shape and two data_offsets"},
		{safetensors(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}`, 4), "expected a shape and two data_offsets"},
		{safetensors(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[-1,4]}}`, 4), "cannot unmarshal number -1"},
		{safetensors(`{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), "negative dimension"},
		{safetensors(`{"x":{"dtype":"F32","shape":[4000000000,4000000000],"data_offsets":[0,4]}}`, 4), "too many elements"},
		{safetensors(`{"x":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4]}}`, 4), "needs 4000000000000 bytes, found 4"},
		{safetensors(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4), "data starts at 4, expected 0"},
		{safetensors("{"+x+`,"y":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`, 6), `tensor "y": data starts at 2, expected 4`},
		{safetensors("{"+x+`,"y":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`, 12), `tensor "y": data starts at 8, expected 4`},
		{safetensors(`{"__metadata__":{"a":1}}`, 0), "__metadata__: json: cannot unmarshal number"},
	} {
		if _, _, err := decodeTensors(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want %s", err, c.want)
		}
	}
	if _, _, err := ReadSafetensors(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a missing file was read")
	}
}

func FuzzTensors(f *testing.F) {
	header, err := encodeHeader(allTypes()[:6], map[string]string{"a": "b"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(header, make([]byte, 200)...))
	f.Add(safetensors(`{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4))
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, meta, err := decodeTensors(data)
		if err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "a")
		if err := WriteSafetensors(path, tensors, meta); err != nil {
			t.Fatal(err)
		}
		again, _, err := ReadSafetensors(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, nt := range tensors {
			if again[i].Name != nt.Name || !tensor.Equal(again[i].Tensor, nt.Tensor) {
				t.Errorf("tensor %d (%q) differs", i, nt.Name)
			}
		}
	})
}

// ramp is a tensor 0, 1, 2, ... of a type.
func ramp(t tensor.DType, shape ...int64) *tensor.Tensor {
	n, err := tensor.Numel(shape)
	if err != nil {
		panic(err)
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(i)
	}
	return tensor.FromFloat64s(t, shape, values)
}
