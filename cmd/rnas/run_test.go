package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/bench/report"
	"rnas/export"
	"rnas/export/checkpoint"
	"rnas/genotype"
	"rnas/internal/npy"
	"rnas/internal/tensor"
	"rnas/runtime/ort/orttest"
	"rnas/train"
)

const tinyData = "synthetic:classes=4,size=16,train=96,test=40"

// tinySearch and tinyTrain take a second or two.
var (
	tinySearch = []string{"--data", tinyData, "--channels", "2", "--layers", "3", "--nodes", "1", "--batch", "8", "--epochs", "1", "--steps", "2"}
	tinyTrain  = []string{"--data", tinyData, "--channels", "2", "--layers", "3", "--batch", "16", "--epochs", "2"}
)

func with(args []string, more ...string) []string {
	return append(append([]string{}, args...), more...)
}

func TestSearchTrainBench(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	found, trained, measured := filepath.Join(dir, "s"), filepath.Join(dir, "t"), filepath.Join(dir, "b")
	text, _ := succeed(t, with(append([]string{"search"}, tinySearch...), "--out", found)...)
	g, err := genotype.Load(filepath.Join(found, "genotype.json"))
	if err != nil || text != g.String()+"\n" {
		t.Fatalf("printed %q, found %s, %v", text, g, err)
	}
	succeed(t, with(append([]string{"train"}, tinyTrain...), "--genotype", filepath.Join(found, "genotype.json"), "--recipe", "pgd", "--attack-steps", "2", "--aux=false", "--out", trained)...)
	out, _ := succeed(t, "inspect", trained)
	for _, want := range []string{"Training by the recipe pgd", "2 steps of 2/255 along the sign of the gradient, within 8/255 of the image", "2 of 2 epochs"} {
		if !strings.Contains(out, want) {
			t.Errorf("expected %q, found\n%s", want, out)
		}
	}
	// A log of neither is printed as it is.
	if err := os.MkdirAll(filepath.Join(dir, "other"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "other", "log.jsonl"), []byte("{\"a\":1}\n{\"b\":2}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, _ = succeed(t, "inspect", dir)
	for _, want := range []string{"Search by rnas", "Training by the recipe pgd", `{"a":1}`, `{"b":2}`, "expected the configuration of a search or a training"} {
		if !strings.Contains(out, want) {
			t.Errorf("expected %q, found\n%s", want, out)
		}
	}
	for _, folder := range []string{found, trained} {
		if page := content(t, folder, "report.html"); !bytes.HasPrefix(page, []byte("<!DOCTYPE html>")) || !bytes.HasSuffix(page, []byte("</html>\n")) {
			t.Errorf("%s: found %.40q", folder, page)
		}
	}
	model := filepath.Join(trained, "model.onnx")
	succeed(t, "verify", model)
	out, _ = succeed(t, "bench", model, "--data", tinyData, "--attacks", "clean,fgsm,pgd3", "--eps", "4/255", "--out", measured, "--json")
	var printed report.Result
	if err := json.Unmarshal([]byte(out), &printed); err != nil {
		t.Fatal(err)
	}
	m := printed.Models[0]
	if m.Points != 40 || len(m.Attacks) != 2 || m.Attacks[0].Eps != 4./255 || m.WorstCase.Robust > m.Clean.Correct {
		t.Errorf("found %+v", m)
	}
	// The deployed model is right where the program of the training was.
	var last struct {
		Accuracy float64 `json:"val_accuracy"`
	}
	log := bytes.Split(bytes.TrimSpace(content(t, trained, "log.jsonl")), []byte("\n"))
	if err := json.Unmarshal(log[len(log)-1], &last); err != nil || last.Accuracy != m.Clean.Accuracy {
		t.Errorf("validation accuracy %v, of the model %v, %v", last.Accuracy, m.Clean.Accuracy, err)
	}
	for _, name := range []string{"result.json", "result.csv", "result.md"} {
		if _, err := os.Stat(filepath.Join(measured, name)); err != nil {
			t.Error(err)
		}
	}
}

var tinyRun = []string{
	"run", "--preset", "small", "--data", tinyData, "--compare", "--nodes", "1", "--search-channels", "2", "--search-layers", "3",
	"--search-batch", "8", "--search-epochs", "1", "--steps", "2", "--train-channels", "2", "--train-layers", "3",
	"--train-batch", "16", "--train-epochs", "1", "--attacks", "clean,fgsm", "--bench-limit", "20",
}

func TestRun(t *testing.T) {
	orttest.Open(t)
	dir := filepath.Join(t.TempDir(), "run")
	args := with(tinyRun, "--out", dir)
	first, _ := succeed(t, args...)
	if !strings.Contains(first, filepath.Join(dir, "model.onnx")) || !strings.Contains(first, filepath.Join(dir, "random", "model.onnx")) {
		t.Errorf("found\n%s", first)
	}
	var r report.Result
	if err := json.Unmarshal(content(t, dir, "result.json"), &r); err != nil || len(r.Models) != 2 || r.Models[0].Points != 20 {
		t.Errorf("result %+v, %v", r, err)
	}
	for _, name := range []string{"genotype.json", "result.csv", "result.md"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	out, _ := succeed(t, "inspect", dir)
	for _, want := range []string{"model.onnx on 20 images: clean 0.", ", fgsm 0.", "Search by rnas", "Search by random"} {
		if !strings.Contains(out, want) {
			t.Errorf("inspect: expected %q, found\n%s", want, out)
		}
	}
	if strings.Count(out, "Training by the recipe") != 2 {
		t.Errorf("inspect: expected two trainings, found\n%s", out)
	}
	model := content(t, dir, "model.onnx")
	again, told := succeed(t, args...)
	if again != first || strings.Count(told, ": complete\n") != 4 {
		t.Errorf("expected four complete steps and the same table, found\n%s%s", told, again)
	}
	// A step whose result is gone is done again, with the same outcome.
	if err := os.Remove(filepath.Join(dir, "train", "weights.safetensors")); err != nil {
		t.Fatal(err)
	}
	if _, told = succeed(t, args...); strings.Count(told, ": complete\n") != 3 || !bytes.Equal(content(t, dir, "model.onnx"), model) {
		t.Errorf("expected three complete steps and the same model, found\n%s", told)
	}
}

// A run that is stopped exits with 130 and goes on where it was.
func TestRunStops(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	args := with(tinyRun[1:], "--out", dir)
	ctx, stop := context.WithCancel(context.Background())
	stopper := &stopAt{text: "search epoch 1/1", stop: stop}
	err := dispatch(ctx, &console{out: new(bytes.Buffer), err: stopper}, with([]string{"run"}, args...))
	if status(err) != statusStopped {
		t.Fatalf("status %d, %v", status(err), err)
	}
	if _, err := os.Stat(filepath.Join(dir, "result.json")); err == nil {
		t.Error("a result was written")
	}
	_, told := succeed(t, with([]string{"run"}, args...)...)
	if strings.Count(told, "search epoch 1/1") != 0 {
		t.Errorf("the search was done again:\n%s", told)
	}
}

// stopAt cancels a context when a text is written.
type stopAt struct {
	text string
	stop context.CancelFunc
}

func (s *stopAt) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(s.text)) {
		s.stop()
	}
	return len(p), nil
}

func content(t *testing.T, parts ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Data and models that do not fit are told in one line with status 2 and leave nothing behind.
func TestBadRuns(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	model := exported(t) // 4 classes, 16x16
	pictures := filepath.Join(dir, "pictures")
	for _, class := range []string{"ant", "bee"} {
		if err := os.MkdirAll(filepath.Join(pictures, class), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 16, 16))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(pictures, "ant", "1.png"), picture.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(dir, "short.onnx")
	if err := os.WriteFile(short, content(t, model)[:4000], 0o644); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	out := filepath.Join(dir, "out")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"train", "--genotype", "zoo:SNAS", "--data", "folder:" + pictures, "--out", out}, "bee"},
		{[]string{"train", "--genotype", "zoo:SNAS", "--data", tinyData, "--batch", "100", "--out", out}, "batch: expected at most the 96 images"},
		{[]string{"train", "--genotype", "zoo:SNAS", "--data", tinyData, "--recipe", "fgsm", "--out", out}, `recipe: expected one of [standard fast pgd trades], found "fgsm"`},
		{[]string{"search", "--data", tinyData, "--method", "luck", "--out", out}, `method: expected one of rnas,`},
		{[]string{"search", "--data", tinyData, "--lambda", "much", "--out", out}, `--lambda: expected auto, ratio:NUMBER or a number, found "much"`},
		{[]string{"bench", model, "--data", "synthetic:classes=4,size=32,train=8,test=8"}, "expected one input float32[N,3,32,32]"},
		{[]string{"bench", model, "--data", "synthetic:classes=5,size=16,train=8,test=8"}, "expected logits float32[N,5] for the 5 classes"},
		{[]string{"bench", short, "--data", tinyData}, "short.onnx: "},
		{[]string{"bench", model}, "--data: expected images of the classes that"},
		{[]string{"bench", model, "--data", tinyData, "--split", "val"}, "expected images of the part val, found those of train and test"},
		{[]string{"bench", model, "--data", tinyData, "--resize", "16"}, "--resize: data source"},
		{[]string{"bench", model, "--data", tinyData, "--attacks", "luck"}, `expected clean, fgsm`},
		{[]string{"bench", model, "--data", tinyData, "--images"}, "adversarial images need a folder"},
		{[]string{"bench", model, "--data", tinyData, "--norm", "l7"}, `norm "l7"`},
		{[]string{"bench", model, "--data", tinyData, "--split", "half"}, `--split: expected test, train, val, all, found "half"`},
		{[]string{"bench", model, "--data", "npz:" + labels(t, dir)}, "label"},
		{[]string{"bench", model, "--data", tinyData, "--provider", "cpu,cpu"}, "--provider cpu,cpu: cpu is there twice"},
		{[]string{"bench", model, "--data", tinyData, "--provider", "cpu,abacus"}, `found "abacus"`},
	} {
		status, _, err := rnas(t, c.args...)
		lines := strings.Split(strings.TrimSpace(err), "\n")
		if last := lines[len(lines)-1]; status != statusUsage || !strings.HasPrefix(last, "rnas: ") || !strings.Contains(last, c.want) {
			t.Errorf("%v: status %d, expected %q, found %q", c.args, status, c.want, err)
		}
	}
	after := files(t, dir)
	if strings.Join(after, " ") != strings.Join(before, " ")+" "+filepath.Join(dir, "z.npz") {
		t.Errorf("expected %v, found %v", before, after)
	}
}

// A checkpoint of another configuration is a fault of the command line.
func TestOtherConfiguration(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	args := with(append([]string{"train"}, tinyTrain...), "--genotype", "zoo:SNAS", "--recipe", "standard", "--out", dir)
	succeed(t, args...)
	status, _, err := rnas(t, with(args, "--lr", "0.3")...)
	if status != statusUsage || !strings.Contains(err, "schedule.lr was 0.1, is 0.3") {
		t.Errorf("status %d, %s", status, err)
	}
	if _, _, err := checkpoint.ReadSafetensors(filepath.Join(dir, "weights.safetensors")); err != nil {
		t.Errorf("the result before is damaged: %v", err)
	}
}

// files lists the regular files of a folder and those below it.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// labels writes images of which one has a negative label.
func labels(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "z.npz")
	images := tensor.Zeros(tensor.Uint8, 2, 16, 16, 3)
	err := npy.WriteNPZ(path, []npy.Array{
		{Name: "x_train", Tensor: images},
		{Name: "y_train", Tensor: tensor.Vector[int64](0, -1)},
		{Name: "x_test", Tensor: images},
		{Name: "y_test", Tensor: tensor.Vector[int64](0, 1)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// The folders of the data give the model its class names, in the order of its logits.
func TestClassNames(t *testing.T) {
	orttest.Open(t)
	dir := t.TempDir()
	for i, name := range []string{"train/cat/0.png", "train/cat/1.png", "train/dog/0.png", "train/dog/1.png", "test/cat/0.png", "test/dog/0.png"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		pixels := image.NewRGBA(image.Rect(0, 0, 16, 16))
		for k := range pixels.Pix {
			pixels.Pix[k] = byte(31*k + i)
		}
		var data bytes.Buffer
		if err := png.Encode(&data, pixels); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "out")
	succeed(t, "train", "--data", "folder:"+dir, "--genotype", "zoo:DARTS_V2", "--channels", "2", "--layers", "3", "--batch", "2",
		"--epochs", "1", "--recipe", "standard", "--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25", "--out", out)
	again := filepath.Join(dir, "again.onnx")
	succeed(t, "export", "--weights", filepath.Join(out, "weights.safetensors"), "--out", again)
	for _, path := range []string{filepath.Join(out, "model.onnx"), again} {
		g, err := export.ReadFile(path, export.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if g.Meta[train.MetaClasses] != `["cat","dog"]` || g.Meta[train.MetaStd] != "[0.25,0.25,0.25]" || g.Meta[train.MetaEps] != "" {
			t.Errorf("%s: metadata %v", path, g.Meta)
		}
	}
}
