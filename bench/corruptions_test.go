package bench

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rnas/bench/corruption"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/internal/npy"
	"rnas/internal/tensor"
)

// corrupted is data as the generator of a seed leaves it.
func corrupted(t *testing.T, d *dataset.Dataset, kind corruption.Corruption, severity int, seed uint64) *dataset.Dataset {
	t.Helper()
	g, err := corruption.NewGenerator(d.Shape, seed)
	if err != nil {
		t.Fatal(err)
	}
	out, image := d.Subset(nil), make([]float32, d.Elems())
	out.Labels = d.Labels
	for i := range d.Len() {
		d.Fill(image, make([]int64, 1), []int{i}, dataset.Augment{}, 0, 0)
		g.Apply(image, image, kind, severity, i)
		for _, v := range image {
			out.Images = append(out.Images, uint8(math.Round(255*float64(v))))
		}
	}
	return out
}

// publish writes data, corrupted with the seed, as the files of CIFAR-10-C.
func publish(t *testing.T, d *dataset.Dataset, seed uint64) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, a *tensor.Tensor) {
		var b bytes.Buffer
		if err := npy.Encode(&b, a); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	labels := tensor.Zeros(tensor.Int64, 0)
	for _, kind := range corruption.All() {
		a := tensor.Zeros(tensor.Uint8, int64(corruption.Severities*d.Len()), height, width, 3)
		labels = tensor.Zeros(tensor.Int64, int64(corruption.Severities*d.Len()))
		for s := range corruption.Severities {
			for i, v := range corrupted(t, d, kind, s+1, seed).Images {
				image, channel, pixel := i/elems, i%elems/(height*width), i%(height*width)
				a.Data.([]uint8)[(s*d.Len()+image)*elems+3*pixel+channel] = v
			}
			for i, label := range d.Labels {
				labels.Int64s()[s*d.Len()+i] = int64(label)
			}
		}
		write(kind.Name+".npy", a)
	}
	write("labels.npy", labels)
	return dir
}

// TestCorruptions measures generated images at several batch sizes and the same images read from files, and compares
// with the clean accuracy on a data set made of them.
func TestCorruptions(t *testing.T) {
	d := images(50, classes, 0, 255)
	model := save(t, "convnet", -1, convnet)
	o := options(t, "clean")
	o.Corruptions = &corruption.Source{}
	o.Batch = 64
	want := run(t, o, d, model).Models[0].Corruptions
	if want.Source != "generated" || want.Points != 50 || len(want.Rows) != 75 || !strings.Contains(want.About, "not comparable") {
		t.Fatalf("expected 75 rows on 50 generated images, found %+v", want)
	}
	sum := 0.0
	for i, r := range want.Rows {
		kind := corruption.All()[i/corruption.Severities]
		if r.Name != kind.Name || r.Severity != 1+i%corruption.Severities {
			t.Fatalf("row %d: expected %s %d, found %s %d", i, kind.Name, 1+i%corruption.Severities, r.Name, r.Severity)
		}
		sum += r.Accuracy
	}
	if math.Abs(want.MeanAccuracy-sum/75) > 1e-12 || math.Abs(want.MCE-(1-sum/75)) > 1e-12 {
		t.Errorf("expected the mean %v, found %v and %v", sum/75, want.MeanAccuracy, want.MCE)
	}
	plain := options(t, "clean")
	for _, i := range []int{0, 7, 24, 74} {
		r := want.Rows[i]
		data := corrupted(t, d, corruption.All()[i/corruption.Severities], r.Severity, plain.Settings.Seed)
		if c := run(t, plain, data, model).Models[0].Clean; c != r.Clean {
			t.Errorf("%s %d: expected %+v, found %+v", r.Name, r.Severity, c, r.Clean)
		}
	}
	for _, batch := range []int{1, 7} {
		o.Batch = batch
		if found := run(t, o, d, model).Models[0].Corruptions; !reflect.DeepEqual(found, want) {
			t.Errorf("batch %d: expected %+v, found %+v", batch, want, found)
		}
	}
	files := publish(t, d, o.Settings.Seed)
	o.Corruptions = &corruption.Source{Path: files}
	found := run(t, o, d.Subset([]int{3, 4}), model).Models[0].Corruptions // the files have images of their own
	if found.Source != "cifar10c" || found.Points != 50 || !reflect.DeepEqual(found.Rows, want.Rows) {
		t.Errorf("from files: expected %+v, found %+v", want.Rows, found)
	}
	o.Corruptions = &corruption.Source{Path: files, Limit: 20}
	first := make([]int, 20)
	for i := range first {
		first[i] = i
	}
	found = run(t, o, d, model).Models[0].Corruptions
	o.Corruptions = &corruption.Source{}
	if want := run(t, o, d.Subset(first), model).Models[0].Corruptions; !reflect.DeepEqual(found.Rows, want.Rows) {
		t.Errorf("the first 20: expected %+v, found %+v", want.Rows, found.Rows)
	}
}

// TestCorruptionsResume stops a run in the middle and expects the table of an uninterrupted one, from records of both.
func TestCorruptionsResume(t *testing.T) {
	d := images(20, classes, 0, 255)
	model := save(t, "convnet", -1, convnet)
	for _, source := range []*corruption.Source{{}, {Path: publish(t, d, 3)}} {
		o := options(t, "clean")
		o.Corruptions = source
		want := run(t, o, d, model).Models[0].Corruptions
		o.Dir = t.TempDir()
		ctx, cancel := context.WithCancel(context.Background())
		batches := 0
		o.Progress = func(Progress) {
			if batches++; batches == 100 {
				cancel()
			}
		}
		if _, err := Run(ctx, o, []string{model}, d); err == nil {
			t.Fatal("expected an error of the interrupted run")
		}
		before := bytes.Count(contents(t, filepath.Join(o.Dir, progressFile)), []byte("\n"))
		o.Progress = nil
		found := run(t, o, d, model)
		if !reflect.DeepEqual(found.Models[0].Corruptions, want) {
			t.Errorf("expected %+v, found %+v", want, found.Models[0].Corruptions)
		}
		lines := bytes.Count(contents(t, filepath.Join(o.Dir, progressFile)), []byte("\n"))
		if before == 0 || lines != 2*3+75*3 { // of batches of 8: clean images, their mates, corrupted ones
			t.Errorf("expected %d lines of progress, found %d, %d of them by the first run", 2*3+75*3, lines, before)
		}
		if saved := read(t, o.Dir); !reflect.DeepEqual(saved.Models[0].Corruptions, want) {
			t.Errorf("result.json: expected %+v, found %+v", want, saved)
		}
		if table := contents(t, filepath.Join(o.Dir, "corruptions.csv")); bytes.Count(table, []byte("\n")) != 17 {
			t.Errorf("corruptions.csv: expected a header, 15 corruptions and their mean, found\n%s", table)
		}
	}
}

func TestCorruptionsErrors(t *testing.T) {
	d := images(10, classes, 0, 255)
	o := options(t, "clean")
	o.Corruptions = &corruption.Source{Path: filepath.Join(t.TempDir(), "none")}
	if _, err := Run(context.Background(), o, []string{save(t, "convnet", -1, convnet)}, d); !fault.IsInput(err) || !strings.Contains(err.Error(), o.Corruptions.Path) {
		t.Errorf("expected an error of the input that names the folder, found %v", err)
	}
}
