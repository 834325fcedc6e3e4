package train

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/runtime/ort/orttest"
)

// tiny is a configuration and data that train in a second.
func tiny(t testing.TB, recipe program.Recipe) (Config, *dataset.Splits) {
	t.Helper()
	data, err := dataset.Open(context.Background(), "synthetic:classes=4,size=16,train=96,test=40", dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	z, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	c := Default(lower.Evaluation{
		Macro:    lower.Macro{Channels: 4, Layers: 3, Classes: 4, Height: 16, Width: 16, Depth: 3},
		Genotype: z.Genotype,
	}, recipe)
	c.Epochs, c.Batch, c.Seed = 2, 16, 3
	return c, data
}

func read(t testing.TB, parts ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRunLearns(t *testing.T) {
	orttest.Open(t)
	c, data := tiny(t, program.Standard)
	c.Epochs, c.Schedule.LR, c.Augment, data.Test = 20, 0.05, dataset.Augment{}, data.Train
	dir := t.TempDir()
	r, err := Run(context.Background(), c, data, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(read(t, dir, "log.jsonl")), []byte("\n"))
	if len(lines) != 1+c.Epochs {
		t.Fatalf("expected %d lines of log, found %d", 1+c.Epochs, len(lines))
	}
	var first, last Epoch
	for i, to := range map[int]*Epoch{1: &first, c.Epochs: &last} {
		if err := json.Unmarshal(lines[i], to); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("first %+v last %+v", first, last)
	if first.Epoch != 1 || last.Epoch != c.Epochs || last.Loss > first.Loss/1.3 || last.Accuracy < 0.5 {
		t.Errorf("expected the loss to fall, found %+v to %+v", first, last)
	}
	if r.ValAccuracy < 0.4 || r.ValAccuracy != *last.ValAccuracy {
		t.Errorf("validation accuracy %v, log %v", r.ValAccuracy, *last.ValAccuracy)
	}
	w, err := Load(r.Path)
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Classes) != 4 || w.Network.Channels != 4 || w.Params[5] != r.Params[5] || w.Stats[3] != r.Stats[3] {
		t.Errorf("the file does not give back the weights: %+v", w.Network)
	}
}
