package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rnas/bench/report"
	"rnas/compiler/ir"
	"rnas/compiler/op"
	"rnas/internal/dataset"
	"rnas/runtime/ort/orttest"
)

// timeless is a result without what a clock decides.
func timeless(r *report.Result) *report.Result {
	for i := range r.Models {
		for k := range r.Models[i].Attacks {
			r.Models[i].Attacks[k].Seconds = 0
		}
	}
	return r
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// read is the result in a folder.
func read(t *testing.T, dir string) *report.Result {
	t.Helper()
	r := &report.Result{}
	if err := json.Unmarshal(contents(t, filepath.Join(dir, "result.json")), r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestBatch runs several batch sizes, some of which do not divide the number of points, and a model of fixed batch size.
func TestBatch(t *testing.T) {
	d := images(140, classes, 0, 255)
	free, fixed := save(t, "convnet", -1, convnet), save(t, "convnet", 4, convnet)
	var points []byte
	var first *report.Result
	for _, c := range []struct {
		batch int
		model string
	}{{1, free}, {7, free}, {128, free}, {8, fixed}} {
		o := options(t, "fgsm,pgd20,mifgsm,apgd-ce,apgd-t")
		o.Settings.Epsilon = 2. / 255
		o.Batch, o.Dir = c.batch, t.TempDir()
		r := timeless(run(t, o, d, c.model))
		text := bytes.ReplaceAll(contents(t, filepath.Join(o.Dir, pointsFile)), []byte(c.model), nil)
		r.Models[0].Path, r.Models[0].SHA256 = "", ""
		if first == nil {
			first, points = r, text
			if m := r.Models[0]; m.Clean.Correct == 0 || m.WorstCase.Robust == m.Clean.Correct || m.WorstCase.Robust == 0 {
				t.Fatalf("expected a model between broken and robust, found %+v", m)
			}
		}
		if !reflect.DeepEqual(first, r) {
			t.Errorf("batch %d: expected\n%+v, found\n%+v", c.batch, first, r)
		}
		if !bytes.Equal(points, text) {
			t.Errorf("batch %d: the points differ", c.batch)
		}
	}
}

// interrupted runs again and again, each time until a function of cancels says so, until a run ends by itself. It returns the result of that
// run and the number of interruptions. It calls after with the number so far after each of them.
func interrupted(t *testing.T, o Options, models []string, d *dataset.Dataset, cancels func() func(Progress) bool, after func(stops int)) (*report.Result, int) {
	t.Helper()
	for stops := 0; ; {
		ctx, cancel := context.WithCancel(context.Background())
		now := cancels()
		o.Progress = func(p Progress) {
			if now(p) {
				cancel()
			}
		}
		r, err := Run(ctx, o, models, d)
		cancel()
		if err == nil {
			return r, stops
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if stops++; stops > 100 {
			t.Fatal("the run makes no progress")
		}
		after(stops)
	}
}

// sameArchives compares the n archives of images in a folder with those of another one.
func sameArchives(t *testing.T, want, found string, n int) {
	t.Helper()
	archives, err := filepath.Glob(filepath.Join(want, "*.npz"))
	if err != nil || len(archives) != n {
		t.Fatalf("expected %d archives, found %v, %v", n, archives, err)
	}
	for _, a := range archives {
		if name := filepath.Base(a); !bytes.Equal(contents(t, a), contents(t, filepath.Join(found, name))) {
			t.Errorf("%s differs", name)
		}
	}
}

// TestResume interrupts a run after every number of batches, and cuts the progress file in the middle of a line as a
// killed process would, and expects the same tables from the runs that follow.
func TestResume(t *testing.T) {
	d := images(40, classes, 0, 255)
	model := save(t, "convnet", -1, convnet)
	o := options(t, "fgsm,pgd3")
	o.Settings.Epsilon = 2. / 255
	o.Dir, o.Images = t.TempDir(), true
	want := timeless(run(t, o, d, model))
	points := contents(t, filepath.Join(o.Dir, pointsFile))
	whole := o.Dir

	o.Dir = t.TempDir()
	twelve := func() func(Progress) bool {
		calls := 0
		return func(Progress) bool { // tasks are announced once before their first batch
			calls++
			return calls > 12
		}
	}
	got, stops := interrupted(t, o, []string{model}, d, twelve, func(int) {
		if _, err := os.Stat(filepath.Join(o.Dir, "result.json")); err == nil {
			t.Fatal("expected no result of an interrupted run")
		}
		path := filepath.Join(o.Dir, progressFile)
		if err := os.Truncate(path, int64(len(contents(t, path))-5)); err != nil {
			t.Fatal(err)
		}
	})
	if !reflect.DeepEqual(timeless(got), want) {
		t.Errorf("expected\n%+v, found\n%+v", want, got)
	}
	if stops < 2 {
		t.Fatalf("expected several interruptions, found %d", stops)
	}
	if !bytes.Equal(contents(t, filepath.Join(o.Dir, pointsFile)), points) {
		t.Error("the points differ")
	}
	sameArchives(t, whole, o.Dir, 2)
	if raw, _ := filepath.Glob(filepath.Join(o.Dir, "*.raw")); len(raw) != 0 {
		t.Errorf("expected no raw files, found %v", raw)
	}

	// Once more: nothing is left to do, nothing is compiled, and the seconds are those of the first time.
	batches := 0
	o.Progress = func(p Progress) {
		if p.Done < p.Total {
			batches++
		}
	}
	again := run(t, o, d, model)
	if saved := read(t, o.Dir); !reflect.DeepEqual(saved, again) || batches != 0 {
		t.Errorf("expected the same result and no work, found %+v and %+v, %d batches", saved, again, batches)
	}
	// Other settings are another job.
	seed := o.Settings.Seed
	o.Settings.Seed++
	if run(t, o, d, model); batches == 0 {
		t.Error("a run with another seed did nothing")
	}
	// Records that are lost after the images were packed are made again.
	o.Settings.Seed = seed
	if err := os.Remove(filepath.Join(o.Dir, progressFile)); err != nil {
		t.Fatal(err)
	}
	if got := timeless(run(t, o, d, model)); !reflect.DeepEqual(got, want) {
		t.Errorf("without records: expected\n%+v, found\n%+v", want, got)
	}
	sameArchives(t, whole, o.Dir, 2)
}

func TestTwoModels(t *testing.T) {
	d := images(20, classes, 0, 255)
	o := options(t, "fgsm")
	o.Dir, o.Latency = t.TempDir(), true
	a, b := save(t, "convnet", -1, convnet), save(t, "linear", 3, linear(classes))
	r := run(t, o, d, a, b)
	if len(r.Models) != 2 || r.Models[0].Path != a || r.Models[1].Path != b || r.Models[0].SHA256 == r.Models[1].SHA256 || r.Provider != "cpu" {
		t.Errorf("found %+v", r)
	}
	batches := [][]int{{1, 8}, {3}}
	for i, m := range r.Models {
		var found []int
		for _, l := range m.Latency.Runs {
			found = append(found, l.Batch)
			if l.Samples < latencyFewest || !(l.P50 > 0 && l.P50 <= l.P90 && l.P90 <= l.P99) || !(l.ImagesPerSecond > 0) {
				t.Errorf("model %d: found %+v", i, l)
			}
		}
		if !reflect.DeepEqual(found, batches[i]) || m.Latency.Threads < 1 {
			t.Errorf("model %d: expected batches %v, found %v", i, batches[i], m.Latency)
		}
	}
	if lines := table(t, o.Dir, 20); len(lines) != 41 || lines[20][0] != a || lines[21][0] != b || strings.Join(lines[0], ",") != "path,index,label,clean,fgsm,fgsm_robust" {
		t.Errorf("found %v", lines[0])
	}
}

func TestErrors(t *testing.T) {
	orttest.Open(t)
	d := images(10, classes, 0, 255)
	good := save(t, "linear", -1, linear(classes))
	junk := filepath.Join(t.TempDir(), "junk.onnx")
	if err := os.WriteFile(junk, []byte("no model"), 0o644); err != nil {
		t.Fatal(err)
	}
	wide := *d
	wide.Shape = [3]int{3, width, height}
	flat := save(t, "constant", -1, func(b op.B, x *ir.Value) *ir.Value { // logits do not depend on the image
		return b.ExpandLike(weights(b, "c", 1, 1, classes), b.Gemm(b.Flatten(x), weights(b, "w", 1, classes, elems), nil, false, true))
	})
	for _, c := range []struct {
		name   string
		change func(o *Options)
		data   *dataset.Dataset
		model  string
		parts  []string
	}{
		{"missing file", nil, d, "none.onnx", []string{"none.onnx", "no such file"}},
		{"no model", nil, d, junk, []string{"junk.onnx"}},
		{"classes", nil, images(10, 4, 0, 255), good, []string{"linear.onnx", "4 classes of noise", "logits float32[N,3]"}},
		{"shape", nil, &wide, good, []string{"linear.onnx", "float32[N,3,5,6]", "float32[N,3,6,5]"}},
		{"no images", nil, images(0, classes, 0, 255), good, []string{"noise", "no images"}},
		{"constant", nil, d, flat, []string{"constant.onnx", "does not depend on"}},
		{"norm", func(o *Options) { o.Settings.Norm = "l0" }, d, good, []string{`norm "l0"`, "expected linf"}},
		{"eps", func(o *Options) { o.Settings.Epsilon = 8 }, d, good, []string{"eps 8"}},
		{"step size", func(o *Options) { o.Settings.StepSize = -1 }, d, good, []string{"step size -1"}},
		{"batch", func(o *Options) { o.Batch = -1 }, d, good, []string{"batch -1"}},
		{"images without folder", func(o *Options) { o.Images = true }, d, good, []string{"folder"}},
		{"provider", func(o *Options) { o.Runtime.Provider = "abacus" }, d, good, []string{"abacus"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(t, "fgsm")
			if c.change != nil {
				c.change(&o)
			}
			_, err := Run(context.Background(), o, []string{c.model}, c.data)
			if err == nil {
				t.Fatal("expected an error")
			}
			for _, part := range c.parts {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("expected %q in %q", part, err)
				}
			}
			if strings.Count(err.Error(), filepath.Base(c.model)) > 1 {
				t.Errorf("expected the file once in %q", err)
			}
		})
	}
}
