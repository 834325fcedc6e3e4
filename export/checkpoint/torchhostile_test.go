package checkpoint

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Pieces of pickles of protocol 2.
const (
	proto2    = "\x80\x02"
	legacyTop = proto2 + torchMagic + "." + proto2 + "M\xe9\x03." + proto2 + "}."
	rebuild   = "ctorch._utils\n_rebuild_tensor_v2\n"
)

func pyText(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func pyInt(n int64) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func pyInts(n []int64) string {
	out := "("
	for _, v := range n {
		out += pyInt(v)
	}
	return out + "t"
}

// pyView is a tensor over a float32 storage of the given size.
func pyView(key string, size, offset int64, shape, stride []int64) string {
	return rebuild + "((" + pyText("storage") + "ctorch\nFloatStorage\n" + pyText(key) + pyText("cpu") + pyInt(size) + "NtQ" +
		pyInt(offset) + pyInts(shape) + pyInts(stride) + "\x89NtR"
}

// pyDict is a pickle of a dictionary of one entry.
func pyDict(name, value string) string { return proto2 + "}" + pyText(name) + value + "s." }

// zipped is an archive of stored entries.
func zipped(t testing.TB, method uint16, entries ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(entries); i += 2 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: entries[i], Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(entries[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// checkpoint is an archive with one tensor "w" of 4 elements.
func checkpoint(t testing.TB, more ...string) []byte {
	view := pyDict("w", pyView("0", 4, 0, []int64{2, 2}, []int64{2, 1}))
	return zipped(t, zip.Store, append([]string{"a/data.pkl", view, "a/data/0", strings.Repeat("\x00\x00\x80\x3f", 4)}, more...)...)
}

// legacyFile is a checkpoint of the form before PyTorch 1.6.
func legacyFile(object, keys string, storages ...[]byte) []byte {
	return append([]byte(legacyTop+object+keys), bytes.Join(storages, nil)...)
}

// readBytes reads a checkpoint from memory.
func readBytes(data []byte) ([]Tensor, error) {
	return readTorch(bytes.NewReader(data), int64(len(data)), data[:min(len(data), 64)])
}

func TestReadTorchSmall(t *testing.T) {
	object, keys := pyDict("w", pyView("0", 4, 0, []int64{2, 2}, []int64{1, 2})), proto2+"]"+pyText("0")+"a."
	counted := append([]byte{4, 0, 0, 0, 0, 0, 0, 0}, bytes.Repeat([]byte{0, 0, 0x80, 0x3f}, 4)...)
	for _, data := range [][]byte{checkpoint(t), checkpoint(t, "a/byteorder", "little"), legacyFile(object, keys, counted)} {
		got, err := readBytes(data)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].Name != "w" || fmt.Sprint(got[0].Tensor) != "&{[2 2] [1 1 1 1]}" {
			t.Errorf("found %v", got)
		}
	}
}

func TestReadTorchRefuses(t *testing.T) {
	tensorOf := func(size, offset int64, shape, stride []int64) []byte {
		return zipped(t, zip.Store, "a/data.pkl", pyDict("w", pyView("0", size, offset, shape, stride)), "a/data/0", strings.Repeat("\x00", 16))
	}
	script := func(pickle string) []byte { return zipped(t, zip.Store, "a/data.pkl", pickle) }
	whole := checkpoint(t)
	lying := bytes.Clone(whole)
	end := bytes.LastIndex(lying, []byte("PK\x01\x02"))
	for _, at := range []int{end + 20, end + 24} {
		binary.LittleEndian.PutUint32(lying[at:], 1<<31)
	}
	flipped := bytes.Replace(whole, []byte("\x00\x00\x80\x3f"), []byte("\x00\x00\x80\x3e"), 1)
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "expected safetensors or a PyTorch checkpoint"},
		{"text", []byte("hello world, this is text"), "expected safetensors or a PyTorch checkpoint"},
		{"system call", script(proto2 + "cos\nsystem\n" + pyText("id") + "\x85R."), `"os.system" is not read from checkpoints`},
		{"system call by names", script("\x80\x04\x8c\x05posix\x8c\x06system\x93" + pyText("id") + "\x85R."), `"posix.system" is not read`},
		{"eval", legacyFile(proto2+"c__builtin__\neval\n"+pyText("1")+"\x85R.", ""), `"__builtin__.eval" is not read`},
		{"call of a call", script(proto2 + rebuild + "(" + rebuild + "K\x00))tR."), "expected a storage, found function"},
		{"call of data", script(proto2 + "})R."), "expected a function, found dict"},
		{"instance", script(proto2 + "(ios\nsystem\n."), "opcode 0x69 is not one of"},
		{"whole module", script(proto2 + "(" + pyText("module") + "NtQ."), "of a whole module is not read"},
		{"no tensors", script(proto2 + "}" + pyText("epoch") + "K\x01s."), `no tensors under names: expected the parameters of a network, with keys such as "epoch"`},
		{"a number", script(proto2 + "K\x01."), "expected a dictionary of tensors, found int"},
		{"huge text", script("\x80\x04\x8d\x00\x00\x00\x00\x10\x00\x00\x00abc."), "the file has 4 left"},
		{"negative text", script("\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc."), "the file has 4 left"},
		{"no operand", script(proto2 + "a."), "an operand is missing"},
		{"below the mark", script(proto2 + "K\x01(a."), "an operand is missing"},
		{"no mark", script(proto2 + "t."), "a mark is missing"},
		{"odd items", script(proto2 + "}(Nu."), "a key has no value"},
		{"no memo", script(proto2 + "h\x05."), "nothing is stored under 5"},
		{"newer protocol", script("\x80\x09."), "expected a protocol up to 5"},
		{"truncated", script(proto2 + "}"), "unexpected EOF"},
		{"offset outside", tensorOf(4, 1, []int64{2, 2}, []int64{2, 1}), "needs 5 elements, the storage has 4"},
		{"stride outside", tensorOf(4, 0, []int64{2, 2}, []int64{3, 1}), "needs 5 elements, the storage has 4"},
		{"stride overflow", tensorOf(4, 0, []int64{4, 2}, []int64{math.MaxInt64, math.MaxInt64}), "out of range"},
		{"negative stride", tensorOf(4, 3, []int64{4}, []int64{-1}), "strides: expected numbers of at least 0"},
		{"negative shape", tensorOf(4, 0, []int64{-4}, []int64{1}), "shape: expected numbers of at least 0"},
		{"negative offset", tensorOf(4, -1, []int64{4}, []int64{1}), "offset -1"},
		{"huge shape", tensorOf(4, 0, []int64{1 << 40, 1 << 40}, []int64{0, 0}), "too many elements"},
		{"expansion", tensorOf(4, 0, []int64{1 << 30}, []int64{0}), "the tensors take more than"},
		{"ranks", tensorOf(4, 0, []int64{2, 2}, []int64{1}), "shape [2 2] has strides [1]"},
		{"many dimensions", tensorOf(4, 0, make([]int64, 65), make([]int64, 65)), "a tuple of at most 64"},
		{"storage too short", tensorOf(1000, 0, []int64{4}, []int64{1}), "16 bytes for 1000 elements of float32"},
		{"huge storage", tensorOf(1<<62, 0, []int64{4}, []int64{1}), "16 bytes for 4611686018427387904 elements"},
		{"no storage", script(pyDict("w", pyView("../0", 4, 0, []int64{4}, []int64{1}))), `no storage "../0"`},
		{"no pickle", zipped(t, zip.Store, "a/b", ""), "has no data.pkl"},
		{"script", zipped(t, zip.Store, "a/data.pkl", "", "a/constants.pkl", ""), "TorchScript"},
		{"big-endian", checkpoint(t, "a/byteorder", "big"), `byte order "big"`},
		{"twice", checkpoint(t, "a/data/0", ""), "is there twice"},
		{"compressed", zipped(t, zip.Deflate, "a/data.pkl", strings.Repeat("}", 1<<20)), "is compressed"},
		{"checksum", flipped, "checksum"},
		{"directory lies", lying, "2147483648 bytes, expected at most"},
		{"half an archive", whole[:len(whole)/2], "zip: not a valid zip file"},
		{"storage cut", legacyFile(pyDict("w", pyView("0", 4, 0, []int64{4}, []int64{1})), proto2+"]"+pyText("0")+"a.", []byte{4, 0, 0, 0, 0, 0, 0, 0, 1}), "the file has 1 bytes left"},
		{"count differs", legacyFile(pyDict("w", pyView("0", 4, 0, []int64{4}, []int64{1})), proto2+"]"+pyText("0")+"a.", []byte{5, 0, 0, 0, 0, 0, 0, 0, 1}), "5 elements, expected 4"},
		{"storage not listed", legacyFile(pyDict("w", pyView("0", 4, 0, []int64{4}, []int64{1})), proto2+"]."), `no storage "0"`},
		{"unknown key", legacyFile(proto2+"}.", proto2+"]"+pyText("9")+"a."), "no tensors under names"},
	} {
		got, err := readBytes(c.data)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: expected %q, found %v, %v", c.name, c.want, got, err)
		}
	}
}

// TestReadTorchMemory reads files that make much of little: all that is allocated, garbage included, stays below 4 times
// the file and 64 MiB.
func TestReadTorchMemory(t *testing.T) {
	const n = 4 << 20
	script := func(pickle string) []byte { return zipped(t, zip.Store, "a/data.pkl", pickle) }
	var bomb strings.Builder
	bomb.WriteString(proto2 + ")q\x00")
	for range n / 16 {
		bomb.WriteString("h\x00h\x00h\x00h\x00\x86\x86\x86q\x00")
	}
	long := pyText(strings.Repeat("x", n))
	var views strings.Builder
	views.WriteString(proto2 + "}")
	for i := range 300 {
		views.WriteString(pyText(fmt.Sprint("w", i)) + pyView("0", n/4, 0, []int64{n / 4}, []int64{1}) + "s")
	}
	tied := proto2 + "}" + pyText("v") + pyView("0", n/4, 0, []int64{n / 4}, []int64{1}) + "s" + pyText("w") +
		pyView("0", n/4, 0, []int64{2, n / 8}, []int64{1, 2}) + "s."
	names := make([]string, 0, 40000)
	for i := range cap(names) / 2 {
		names = append(names, fmt.Sprint("a/data/", i), "")
	}
	for _, c := range []struct {
		name string
		data []byte
		fits bool
	}{
		{"dictionaries", script(proto2 + strings.Repeat("}", n) + "."), false},
		{"lists", script(proto2 + strings.Repeat("]", n) + "."), false},
		{"marks", script(proto2 + strings.Repeat("(", n) + "."), false},
		{"copies", script(proto2 + "N" + strings.Repeat("2", n) + "."), false},
		{"tuples of tuples", script(bomb.String() + "."), false},
		{"tuples", script(proto2 + "N" + strings.Repeat("\x85", n) + "."), false},
		{"memo", script("\x80\x04N" + strings.Repeat("\x94", n) + "."), false},
		{"texts", script(proto2 + long + long + long + "0."), false},
		{"a list in itself", script(proto2 + "]q\x00" + strings.Repeat("h\x00a", n/3) + "."), false},
		{"names", script(proto2 + strings.Repeat("ctorch\nSize\n", n/12) + "."), false},
		{"calls", script(proto2 + "ccollections\nOrderedDict\nq\x00" + strings.Repeat("h\x00)R", n/4) + "."), false},
		{"copied pairs", script(proto2 + "ccollections\nOrderedDict\nq\x00]q\x01(" + strings.Repeat("NN\x86", n/6) + "e0h\x01\x85q\x02" + strings.Repeat("h\x00h\x02R", n/10) + "."), false},
		{"repeated tensors", zipped(t, zip.Store, "a/data.pkl", views.String()+".", "a/data/0", strings.Repeat("\x00", n)), false},
		{"expansion", zipped(t, zip.Store, "a/data.pkl", pyDict("w", pyView("0", 1, 0, []int64{8 << 20}, []int64{0})), "a/data/0", "\x00\x00\x00\x00"), false},
		{"entries", zipped(t, zip.Store, names...), false},
		{"directory", append([]byte("PK\x03\x04"), bytes.Repeat(zipped(t, zip.Store, "", ""), n/100)...), false},
		{"repeated legacy", legacyFile(views.String()+".", proto2+"]"+pyText("0")+"a.", []byte{0, 0, 0x10, 0, 0, 0, 0, 0}, make([]byte, n)), false},
		{"tied weights", zipped(t, zip.Store, "a/data.pkl", tied, "a/data/0", strings.Repeat("\x00", n)), true},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readBytes(c.data)
		runtime.ReadMemStats(&after)
		used, bound := after.TotalAlloc-before.TotalAlloc, 4*uint64(len(c.data))+64<<20
		t.Logf("%s: %d bytes, %d MiB allocated: %v", c.name, len(c.data), used>>20, err)
		if used > bound || (err == nil) != c.fits {
			t.Errorf("%s: %d bytes of memory for a file of %d, expected at most %d; found %v", c.name, used, len(c.data), bound, err)
		}
	}
}

// TestTorchDamage changes each byte of small checkpoints in turn, and cuts them after each byte.
func TestTorchDamage(t *testing.T) {
	for _, file := range []string{"mixed.pt", "mixed.legacy.pth"} {
		data, err := os.ReadFile(filepath.Join(torchDir, file))
		if err != nil {
			t.Fatal(err)
		}
		refused := 0
		for i := range data {
			if _, err := readBytes(data[:i]); err == nil {
				t.Errorf("%s: the first %d bytes were read", file, i)
			}
			for _, change := range []byte{0x41} {
				data[i] ^= change
				if _, err := readBytes(data); err != nil {
					refused++
				}
				data[i] ^= change
			}
		}
		if refused < len(data)/4 {
			t.Errorf("%s: %d of %d changes were refused", file, refused, len(data))
		}
	}
}

func FuzzTorch(f *testing.F) {
	for _, file := range []string{"mixed.pt", "mixed.legacy.pth"} {
		data, err := os.ReadFile(filepath.Join(torchDir, file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(checkpoint(f))
	f.Add(legacyFile(pyDict("w", pyView("0", 4, 0, []int64{2, 2}, []int64{1, 2})), proto2+"]"+pyText("0")+"a.", []byte{4, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 16)))
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, err := readBytes(data)
		if err == nil && len(tensors) == 0 {
			t.Error("no tensors and no error")
		}
	})
}

// FuzzTorchPickle puts the input into an archive that is well formed.
func FuzzTorchPickle(f *testing.F) {
	f.Add([]byte(pyDict("w", pyView("0", 4, 0, []int64{2, 2}, []int64{1, 2}))))
	f.Add([]byte(proto2 + "cos\nsystem\n" + pyText("id") + "\x85R."))
	f.Add([]byte("\x80\x04\x8d\x00\x00\x00\x00\x10\x00\x00\x00abc."))
	f.Add([]byte(proto2 + "]q\x00h\x00a."))
	f.Add([]byte("\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00}\x94(K\x01G\x00\x00\x00\x00\x00\x00\x00\x00u."))
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, err := readBytes(zipped(t, zip.Store, "a/data.pkl", string(data), "a/data/0", "0123456789abcdef"))
		if err == nil && len(tensors) == 0 {
			t.Error("no tensors and no error")
		}
	})
}
