package export

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// elsewhere is a model whose tensor w float32[n] lies in another file.
func elsewhere(n int, entries ...string) []byte {
	w := proto(tensorName, "w", tensorType, 1, tensorDims, n, tensorLocation, 1)
	for i := 0; i < len(entries); i += 2 {
		w.sub(tensorExternal, proto(entryKey, entries[i], entryValue, entries[i+1]))
	}
	return modelOf(18, proto(graphInput, inputOf("x", 1, size(n)), graphInitializer, w,
		graphNode, nodeOf("Add", "y", "x", "w"), graphOutput, output("y")))
}

func TestExternalData(t *testing.T) {
	dir := t.TempDir()
	content := make([]byte, 4, 20)
	for _, bits := range []uint32{0x3f800000, 0x40000000, 0x40400000} { // 1, 2, 3
		content = binary.LittleEndian.AppendUint32(content, bits)
	}
	for name, data := range map[string][]byte{"data": content, "../" + filepath.Base(dir) + ".outside": content} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../"+filepath.Base(dir)+".outside", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	g, err := Unmarshal(elsewhere(3, "location", "data", "offset", "4"), ReadOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if w := g.Nodes[0].In[1].Const; !tensor.Equal(w, tensor.Vector[float32](1, 2, 3)) {
		t.Errorf("got %v", w.Data)
	}
	if _, err := Unmarshal(elsewhere(2, "location", "./data", "offset", "8", "length", "8", "checksum", "0"), ReadOptions{Dir: dir}); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		name    string
		n       int
		entries []string
		want    string
	}{
		{"no location", 3, nil, "external data without a location"},
		{"up", 3, []string{"location", "../x"}, `location "../x" leaves the folder of the model`},
		{"absolute", 3, []string{"location", "/etc/passwd"}, `location "/etc/passwd" leaves the folder of the model`},
		{"link", 3, []string{"location", "link", "offset", "4"}, "path escapes from parent"},
		{"folder", 3, []string{"location", "folder"}, "folder is not a regular file"},
		{"missing", 3, []string{"location", "none"}, "no such file"},
		{"long", 1 << 40, []string{"location", "data"}, "data: 4398046511104 bytes at 0 are beyond its 16 bytes"},
		{"far", 3, []string{"location", "data", "offset", "8"}, "data: 12 bytes at 8 are beyond its 16 bytes"},
		{"huge offset", 3, []string{"location", "data", "offset", "9223372036854775807"}, "are beyond its 16 bytes"},
		{"length", 3, []string{"location", "data", "length", "8"}, "the tensor needs 12 bytes, found 8"},
		{"negative", 3, []string{"location", "data", "offset", "-1"}, `offset "-1": expected a number that is not negative`},
	} {
		_, err := Unmarshal(elsewhere(c.n, c.entries...), ReadOptions{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := Unmarshal(elsewhere(3, "location", "data"), ReadOptions{}); err == nil || !strings.Contains(err.Error(), "the folder of the model is not known") {
		t.Errorf("without a folder: got error %v", err)
	}
}

// One file that many tensors name does not multiply into memory.
func TestExternalDataIsBounded(t *testing.T) {
	dir := t.TempDir()
	const n = 1 << 18
	if err := os.WriteFile(filepath.Join(dir, "data"), make([]byte, 4*n), 0o600); err != nil {
		t.Fatal(err)
	}
	g := &message{}
	for i := range 200 {
		g.sub(graphInitializer, proto(tensorName, strconv.Itoa(i), tensorType, 1, tensorDims, n, tensorLocation, 1,
			tensorExternal, proto(entryKey, "location", entryValue, "data")))
	}
	_, err := Unmarshal(modelOf(18, g), ReadOptions{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "needs more memory than 4 times its size and 64 MiB") {
		t.Errorf("got error %v", err)
	}
}

func TestWriteExternal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.onnx")
	g := classifier(t)
	if err := WriteFile(path, g, Options{ExternalOver: 100}); err != nil {
		t.Fatal(err)
	}
	got, err := ReadFile(path, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sameGraph(t, got, g)
	if info, err := os.Stat(path + DataSuffix); err != nil || info.Size() < externalMin {
		t.Errorf("no data file: %v", err)
	}
	whole, err := Marshal(g, Options{})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "model.onnx")
	if err := WriteFile(path, g, Options{ExternalOver: int64(len(whole))}); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || !bytes.Equal(data, whole) {
		t.Errorf("a model within the limit is written in parts (%v)", err)
	}
	if _, err := os.Stat(path + DataSuffix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestSparseInitializers(t *testing.T) {
	sparse := func(indices []byte, dims ...int) *message {
		m := proto(sparseValues, proto(tensorName, "w", tensorType, 1, tensorDims, 2, tensorFloats, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}))
		at := proto(tensorType, 7, tensorInt64s, indices, tensorDims, 2)
		if len(indices) > 2 {
			at.int(tensorDims, 2)
		}
		m.sub(sparseIndices, at)
		for _, d := range dims {
			m.int(sparseDims, int64(d))
		}
		return m
	}
	model := func(s *message) []byte {
		return modelOf(18, proto(graphInput, inputOf("x", 1, size(2), size(3)), graphSparse, s, graphNode, nodeOf("Add", "y", "x", "w"), graphOutput, output("y")))
	}
	for _, indices := range [][]byte{{1, 5}, {0, 1, 1, 2}} {
		g, err := Unmarshal(model(sparse(indices, 2, 3)), ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if w := g.Nodes[0].In[1].Const; !tensor.Equal(w, tensor.Of[float32]([]int64{2, 3}, 0, 1, 0, 0, 0, 2)) {
			t.Errorf("got %v", w)
		}
	}
	for _, c := range []struct {
		s    *message
		want string
	}{
		{sparse([]byte{1, 6}, 2, 3), "index 6 is outside [2 3]"},
		{sparse([]byte{0, 1, 1, 3}, 2, 3), "index 3 is outside dimension 1 of [2 3]"},
		{sparse([]byte{0, 1, 1, 3}, 2, 3, 4), "does not fit [2 3 4]"},
		{sparse([]byte{1, 5}, 1<<20, 1<<20), "needs more memory than 4 times its size and 64 MiB"},
	} {
		if _, err := Unmarshal(model(c.s), ReadOptions{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want %s", err, c.want)
		}
	}
}

// FuzzExternal reads models beside a file of 64 bytes.
func FuzzExternal(f *testing.F) {
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "data"), make([]byte, 64), 0o600); err != nil {
		f.Fatal(err)
	}
	f.Add(elsewhere(3, "location", "data", "offset", "4", "length", "12"))
	f.Add(elsewhere(3, "location", "../data"))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := Unmarshal(data, ReadOptions{Dir: dir, Infer: inferAny})
		if err == nil && ir.Verify(g) != nil {
			t.Error("a graph that does not verify was read")
		}
	})
}
