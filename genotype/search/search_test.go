package search

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/runtime/runtimetest"
)

// tiny is a configuration and data that search in a second.
func tiny(t testing.TB, method string) (Config, *dataset.Dataset) {
	t.Helper()
	data, err := dataset.Open(context.Background(), "synthetic:classes=4,size=16,train=64,test=8", dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := Default(method, lower.Macro{Channels: 4, Layers: 3, Classes: 4, Height: 16, Width: 16, Depth: 3})
	c.Super.Nodes = 2
	c.Epochs, c.Batch, c.Seed, c.Attack.Steps = 2, 8, 5, 2
	return c, data.Train
}

func read(t testing.TB, parts ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// records are the epochs of a log.
func records(t testing.TB, dir string) []record {
	t.Helper()
	lines := bytes.Split(bytes.TrimSpace(read(t, dir, "log.jsonl")), []byte("\n"))
	out := make([]record, len(lines)-1)
	for i := range out {
		if err := json.Unmarshal(lines[1+i], &out[i]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestMethods(t *testing.T) {
	runtimetest.Open(t)
	for _, c := range []struct {
		method, on string
		reg        program.Regularizer
		passes     int64 // a step
	}{
		{"darts", OnAlpha, program.KL, 2},
		{"rnas", OnAlpha, program.KL, 3},
		{"rnas", OnWeights, program.MSE, 3},
		{"rnas", OnBoth, program.SymKL, 4},
		{"adv", OnAlpha, program.CE, 5},
		{"adv", OnBoth, program.ReverseKL, 8},
	} {
		t.Run(c.method+" "+c.on+" "+string(c.reg), func(t *testing.T) {
			config, data := tiny(t, c.method)
			config.RegOn, config.Reg = c.on, c.reg
			dir := t.TempDir()
			r, err := Run(context.Background(), config, data, dir, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Genotype.Validate(); err != nil {
				t.Error(err)
			}
			written, err := genotype.Load(r.Path)
			if err != nil || written.String() != r.Genotype.String() {
				t.Errorf("%v: file holds %s, found %s", err, written, r.Genotype)
			}
			if want := 2 * 4 * c.passes; r.Passes != want {
				t.Errorf("expected %d passes, found %d", want, r.Passes)
			}
			log := records(t, dir)
			if len(log) != 2 || log[1].Genotype != r.Genotype.String() || log[0].ValLoss == nil {
				t.Fatalf("log %+v", log)
			}
			if has := log[1].Reg != nil; has != (c.method != "darts") {
				t.Errorf("term in the log: %v", has)
			}
			if log[1].Entropy >= math.Log(8) || r.Seconds <= 0 {
				t.Errorf("entropy %v, seconds %v", log[1].Entropy, r.Seconds)
			}
		})
	}
}
