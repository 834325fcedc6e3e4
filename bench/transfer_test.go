package bench

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rnas/bench/adapt"
	"rnas/bench/attack"
	"rnas/bench/report"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/dataset"
	"rnas/internal/npy"
)

// withstood counts the points that a model classifies rightly both as they are and at their images x.
func withstood(t *testing.T, o Options, d *dataset.Dataset, path string, index []int64, x []float32) int {
	t.Helper()
	clean := predictions(t, o, d, path)
	m, err := openModel(path, d, o.Batch, adapt.Flags{}, o.Runtime)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s := (&job{Options: o, data: d}).subject(m)
	robust := 0
	for row, p := range index {
		copy(s.images, x[row*elems:(row+1)*elems])
		logits, err := m.logits(s.images)
		if err != nil {
			t.Fatal(err)
		}
		if clean[p] == d.Labels[p] && predict(m.row(logits, 0)) == int(d.Labels[p]) {
			robust++
		}
	}
	return robust
}

// TestTransfer checks the matrix of three models, the third of which hides its gradient: the diagonal against the attack on the
// model itself, every other entry against inference of the images that were kept.
func TestTransfer(t *testing.T) {
	d := images(60, classes, 0, 255)
	o := options(t, "pgd20")
	o.Dir, o.Settings.Epsilon = t.TempDir(), 2./255
	open := linear(classes)
	paths := []string{save(t, "open", -1, open), save(t, "convnet", -1, convnet), save(t, "masked", -1, func(b op.B, x *ir.Value) *ir.Value {
		return b.Scale(open(b, x), 1e6)
	})}
	copy(d.Labels[:40], predictions(t, o, d, paths[0]))
	list, err := attack.Parse("pgd20")
	if err != nil {
		t.Fatal(err)
	}
	o.Transfer = &list[0]
	r := run(t, o, d, paths...)
	m := r.Transfer
	if m == nil || m.Attack != "pgd20" || !reflect.DeepEqual(m.Models, paths) || len(m.Robust) != 3 {
		t.Fatalf("found %+v", m)
	}
	for i, source := range []string{"open", "convnet", "masked"} {
		if own := r.Models[i].Attacks[0].Robust; m.Robust[i][i] != own {
			t.Errorf("%s on itself: expected %+v, found %+v", source, own, m.Robust[i][i])
		}
		found, err := filepath.Glob(filepath.Join(o.Dir, source+".transfer-pgd20.*.npz"))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: expected one archive, found %v", source, found)
		}
		arrays, err := npy.ReadNPZ(found[0])
		if err != nil {
			t.Fatal(err)
		}
		index, x := arrays[0].Tensor.Int64s(), arrays[3].Tensor.Float32s()
		for k, path := range paths {
			if want := report.NewRobust(withstood(t, o, d, path, index, x), 60); m.Robust[i][k] != want {
				t.Errorf("%s on model %d: expected %+v, found %+v", source, k, want, m.Robust[i][k])
			}
		}
	}
	masked, flagged := r.Models[2].Attacks[0], false
	for _, f := range masked.Flags {
		flagged = flagged || strings.HasPrefix(f.String(), "transfer: images of pgd20 made on "+paths[0]+" leave ")
	}
	if masked.Robust.Robust <= m.Robust[0][2].Robust || !flagged {
		t.Errorf("expected a transfer that beats %+v, found %+v", masked, m.Robust[0][2])
	}
	for _, a := range r.Models[0].Attacks {
		if len(a.Flags) != 0 {
			t.Errorf("the open model is flagged: %q", a.Flags)
		}
	}

	done := 0
	o.Progress = func(p Progress) {
		if p.Done < p.Total {
			done++
		}
	}
	if again := run(t, o, d, paths...); !reflect.DeepEqual(again.Transfer, m) || done != 0 {
		t.Errorf("another run does %d batches and finds %+v", done, again.Transfer)
	}
	o.Dir, o.Progress = "", nil
	if again := run(t, o, d, paths...); !reflect.DeepEqual(again.Transfer, m) {
		t.Errorf("without a folder: found %+v", again.Transfer)
	}
	page, err := r.HTML(nil)
	if err != nil || !strings.Contains(string(page), `<section id="transfer">`) {
		t.Errorf("%v, no section about the transfer", err)
	}
	text, err := r.Markdown()
	if err != nil || !strings.Contains(string(text), fmt.Sprintf("| made on | open.onnx | convnet.onnx | masked.onnx |\n|---|--:|--:|--:|\n| open.onnx | %.2f (%.1f to %.1f) | ", 100*m.Robust[0][0].RobustAccuracy, 100*m.Robust[0][0].CI95[0], 100*m.Robust[0][0].CI95[1])) {
		t.Errorf("%v, found\n%s", err, text)
	}
	if _, err := Run(t.Context(), o, paths[:1], d); err == nil || err.Error() != "transfer of pgd20: expected two or more models, found 1" {
		t.Errorf("found %v", err)
	}
}
