package train

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/compiler/program"
	"rnas/export/checkpoint"
	"rnas/internal/tensor"
)

// initial are the first weights of a tiny network and their tensors.
func initial(t *testing.T, aux bool) (*Weights, []checkpoint.Tensor) {
	t.Helper()
	c, _ := tiny(t, program.Standard)
	c.Network.Aux = aux
	l, err := program.NewLayout(c.Network)
	if err != nil {
		t.Fatal(err)
	}
	w := &Weights{Network: c.Network, Classes: []string{"a", "b", "c", "d"}, Layout: l, Record: "{}"}
	w.Params, w.Stats = l.Init(1)
	for i := range w.Stats {
		w.Stats[i] = float32(i)
	}
	path := filepath.Join(t.TempDir(), "w.safetensors")
	if err := w.Save(path); err != nil {
		t.Fatal(err)
	}
	tensors, meta, err := checkpoint.ReadSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	if meta["format"] != "rnas" || meta["channels"] != "4" || !strings.HasPrefix(meta["genotype"], "Genotype(") {
		t.Errorf("metadata %v", meta)
	}
	again, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(again.Params, w.Params) || !slices.Equal(again.Stats, w.Stats) || !slices.Equal(again.Classes, w.Classes) {
		t.Error("loading does not give back what was saved")
	}
	return w, tensors
}

func TestPlace(t *testing.T) {
	w, tensors := initial(t, true)
	for i := range tensors {
		tensors[i].Name = "module." + tensors[i].Name
	}
	tensors = append(tensors, checkpoint.Tensor{Name: "module.stem.1.num_batches_tracked", Tensor: tensor.Scalar[int64](5)})
	params, stats, err := Place(tensors, w.Layout)
	if err != nil || !slices.Equal(params, w.Params) || !slices.Equal(stats, w.Stats) {
		t.Errorf("with prefixes: %v", err)
	}
	plain, small := initial(t, false)
	if _, _, err := Place(tensors, plain.Layout); err != nil {
		t.Errorf("superfluous auxiliary head: %v", err)
	}
	if _, _, err := Place(small, w.Layout); err != nil {
		t.Errorf("missing auxiliary head: %v", err)
	}
}

func TestPlaceErrors(t *testing.T) {
	w, tensors := initial(t, false)
	at := slices.IndexFunc(tensors, func(n checkpoint.Tensor) bool { return n.Name == "stem.0.weight" })
	for _, c := range []struct {
		part   string
		change func([]checkpoint.Tensor) []checkpoint.Tensor
	}{
		{"missing stem.0.weight; unknown stem.9.weight", func(l []checkpoint.Tensor) []checkpoint.Tensor {
			l[at].Name = "stem.9.weight"
			return l
		}},
		{"and ", func([]checkpoint.Tensor) []checkpoint.Tensor { return nil }},
		{"of another shape stem.0.weight (expected [12 3 3 3], found [12 27])", func(l []checkpoint.Tensor) []checkpoint.Tensor {
			l[at].Tensor = tensor.Of([]int64{12, 27}, l[at].Tensor.Float32s()...)
			return l
		}},
		{"stem.0.weight is given twice", func(l []checkpoint.Tensor) []checkpoint.Tensor {
			return append(l, checkpoint.Tensor{Name: "module.stem.0.weight", Tensor: l[at].Tensor})
		}},
		{"expected numbers, found bool", func(l []checkpoint.Tensor) []checkpoint.Tensor {
			l[at].Tensor = tensor.Zeros(tensor.Bool, 12, 3, 3, 3)
			return l
		}},
	} {
		path := filepath.Join(t.TempDir(), "w.safetensors")
		if err := checkpoint.WriteSafetensors(path, c.change(slices.Clone(tensors)), nil); err != nil && !strings.Contains(err.Error(), "taken") {
			t.Fatal(err)
		}
		_, _, err := LoadWeights(path, w.Layout)
		if err == nil || !strings.Contains(err.Error(), c.part) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("expected %q, found %v", c.part, err)
		}
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "does not describe its network") {
			t.Errorf("found %v", err)
		}
	}
}
