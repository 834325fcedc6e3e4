package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/export"
	"rnas/internal/rng"
	"rnas/internal/tensor"
)

// The page that shows one small network in every form, and the file of that network.
const (
	architecturePage = "../../docs/architecture.md"
	fiveModel        = "../../testdata/architecture/five.onnx"
)

// sessionBlock is a block of the page that holds commands of rnas, each after "$ bin/rnas", and what these print.
var sessionBlock = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")

// Every command of the page prints what the page says, from the model that this test makes. With -update both are written anew.
func TestArchitecturePage(t *testing.T) {
	model := five(t)
	if *update {
		if err := os.WriteFile(fiveModel, model, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if was, err := os.ReadFile(fiveModel); err != nil || !bytes.Equal(was, model) {
		t.Fatalf("%s is not what five makes (%v)", fiveModel, err)
	}
	path, err := filepath.Abs(architecturePage)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	scratch(t)
	blocks := 0
	now := sessionBlock.ReplaceAllStringFunc(string(page), func(block string) string {
		blocks++
		return replay(t, block)
	})
	if blocks < 5 {
		t.Errorf("%s: expected at least 5 blocks of commands, found %d", path, blocks)
	}
	if *update {
		if err := os.WriteFile(path, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if now != string(page) {
		t.Errorf("%s differs from what its commands print; look at the difference after go test ./cmd/rnas -run Architecture -update\n%s", path, now)
	}
}

// scratch goes to a folder that has testdata and bin, as the root of the repository has.
func scratch(t *testing.T) {
	t.Helper()
	data, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.Symlink(data, "testdata"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("bin", 0o777); err != nil {
		t.Fatal(err)
	}
}

// replay is a block of the page with what its commands print now on standard output.
func replay(t *testing.T, block string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("```console\n")
	for _, line := range strings.Split(block, "\n") {
		command, ok := strings.CutPrefix(line, "$ bin/rnas ")
		if !ok {
			continue
		}
		words, pipe, piped := strings.Cut(command, " | ")
		out, _ := succeed(t, strings.Fields(words)...)
		if piped {
			filter := exec.Command("sh", "-c", pipe)
			filter.Stdin = strings.NewReader(out)
			filtered, err := filter.Output()
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			out = string(filtered)
		}
		b.WriteString(line + "\n")
		for _, printed := range strings.Split(strings.TrimRight(out, "\n"), "\n") {
			if printed != "" {
				b.WriteString(strings.TrimRight(printed, " ") + "\n")
			}
		}
	}
	b.WriteString("```")
	return b.String()
}

// five is a file of a classifier of 8x8 images in five operators: convolution, normalisation, Relu, mean over the pixels and a linear layer.
func five(t *testing.T) []byte {
	t.Helper()
	stream := rng.New(1, rng.Init, 0, 0, 0)
	b := op.NewB("five")
	weight := func(name string, shape ...int64) *ir.Value {
		w := tensor.Zeros(ir.Float32, shape...)
		stream.FillUniform(w.Float32s(), -1, 1)
		for i, v := range w.Float32s() {
			w.Float32s()[i] = float32(int(8*v)) / 8
		}
		return b.Const(name, w)
	}
	y := b.Input("input", ir.Float32, ir.N, 3, 8, 8)
	b.In("conv", func() { y = b.Conv(y, weight("weight", 8, 3, 3, 3), nil, op.Same(3, 1, 1)) })
	b.In("norm", func() {
		variance := b.Const("var", tensor.Vector[float32](1, 1, 1, 1, 4, 4, 4, 4))
		y = b.BatchNorm(y, weight("weight", 8), weight("bias", 8), weight("mean", 8), variance, 0)
	})
	b.In("relu", func() { y = b.Relu(y) })
	b.In("pool", func() { y = b.ReduceMean(y, false, 2, 3) })
	b.In("linear", func() { y = b.Gemm(y, weight("weight", 2, 8), weight("bias", 2), false, true) })
	b.Output("logits", y)
	g, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	data, err := export.Marshal(g, export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return data
}
