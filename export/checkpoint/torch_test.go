package checkpoint

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/internal/npy"
	"rnas/internal/tensor"
)

const torchDir = "../../testdata/torch/"

// All forms of one network hold the same tensors.
func TestReadForms(t *testing.T) {
	want, _, err := Read(torchDir + "DARTS_V2_C6_L5_aux.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]*tensor.Tensor{}
	for _, w := range want {
		values[w.Name] = w.Tensor
	}
	for _, form := range []string{"pt", "legacy.pth", "ckpt.pth.tar"} {
		// Forms are told apart by content.
		path := filepath.Join(t.TempDir(), "weights.safetensors")
		data, err := os.ReadFile(torchDir + "DARTS_V2_C6_L5_aux." + form)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		got, _, err := Read(path)
		if err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d tensors, expected %d", form, len(got), len(want))
		}
		for _, g := range got {
			name, prefixed := strings.CutPrefix(g.Name, "module.")
			if w := values[name]; w == nil || !tensor.Equal(w, g.Tensor) || prefixed != (form == "ckpt.pth.tar") {
				t.Errorf("%s: %s differs", form, g.Name)
			}
		}
	}
}

// Every kind of tensor, as tools/checkpoints.py wrote it among other objects.
func TestReadKinds(t *testing.T) {
	arrays, err := npy.ReadNPZ(torchDir + "mixed.npz")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"mixed.pt", "mixed.legacy.pth"} {
		got, _, err := Read(torchDir + file)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(arrays) {
			t.Errorf("%s: %d tensors, expected %d", file, len(got), len(arrays))
		}
		for i, a := range arrays {
			if i >= len(got) {
				break
			}
			g := got[i]
			if g.Name != "module."+a.Name || !slices.Equal(g.Tensor.Shape, a.Tensor.Shape) || !slices.Equal(g.Tensor.Float64s(), a.Tensor.Float64s()) {
				t.Errorf("%s: %s %v, expected %s %v", file, g.Name, g.Tensor, a.Name, a.Tensor)
			}
			if d, typed := tensor.DType(0), strings.TrimPrefix(a.Name, "module."); slices.ContainsFunc(dtypeNames, func(n dtypeName) bool {
				d = n.dtype
				return d.String() == typed
			}) && g.Tensor.DType() != d {
				t.Errorf("%s: %s has type %s", file, a.Name, g.Tensor.DType())
			}
		}
	}
}
