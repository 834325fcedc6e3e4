// Package bench measures the clean and adversarial accuracy and the speed of ONNX classifiers.
//
// An attack is given the points that are classified rightly without it. Every adversarial image is checked on the host (inside the ball
// and the box, no NaN) and scored by plain inference of the model file before it counts.
//
// The result of a point depends on the point, its index and the seed. It does not depend on the batch size, the order or the other points.
// ONNX Runtime itself may round differently for another batch size or thread count (see package runtime). Therefore a batch has at least
// two rows where the model leaves its size open.
package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"rnas/bench/adapt"
	"rnas/bench/attack"
	"rnas/bench/corruption"
	"rnas/bench/report"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/runtime/ort"
)

// Options says what to measure.
type Options struct {
	Attacks  []attack.Attack // see attack.Parse; clean accuracy is always measured
	Settings attack.Settings
	// Transfer is an attack whose images, made on each model, are scored on every other model; nil for none. The images stay in Dir
	// as .npz.
	Transfer *attack.Attack
	Model    adapt.Flags // what the models take where their files do not say
	Batch    int         // images in a batch, 0 for defaultBatch; a model of fixed batch size has its own
	Runtime  ort.Options // provider, device, threads
	// Others are options of further providers. Everything is measured with each of them too.
	Others  []ort.Options
	Latency bool // measure the latency of plain inference
	Curves  bool // measure accuracy against eps and against steps
	Profile bool // measure where the time of inference and attacks goes
	// Corruptions says where images for the accuracy under common corruptions come from; nil measures none.
	Corruptions *corruption.Source
	// Dir is a folder for result.json, result.csv, result.md, report.html, profile.json, corruptions.csv, points.csv and the progress
	// file. It is made when missing; "" writes nothing. A run with the same models, data and settings goes on where an earlier run in
	// Dir ended.
	Dir      string
	Images   bool             // write the adversarial images to Dir as .npz
	Protocol *Protocol        // the protocol that attacks and settings follow, for the report; may be nil
	Version  string           // version of this program, for the report
	Command  []string         // command line in words, for the report; may be nil
	Progress func(p Progress) // called after every batch; may be nil
}

// Progress tells how far a task is.
type Progress struct {
	Model string // path
	Task  string // such as "clean" or "pgd20"
	Done  int    // number of points done
	Total int    // number of points
}

// defaultBatch is the number of images of the shape [C,H,W] in a batch. Off the CPU it is 64. On the CPU it is 16 images of 32x32 for each
// thread, or as many pixels, up to 64: more do not stay in the cache and leave rows idle at the end. It is at least 8, so that two sessions
// get 4 each.
func defaultBatch(o ort.Options, shape []int) int {
	const most, least, pixels = 64, 8, 16 * 32 * 32
	if !o.Provider.IsCPU() {
		return most
	}
	threads := cmp.Or(o.Threads, ort.PhysicalCores())
	return min(max(threads*pixels/(shape[1]*shape[2]), least), most)
}

// Run measures the models on all of the data. Models are paths of ONNX files of classifiers, which package adapt adapts to
// images [N,C,H,W] of pixels in [0,1] and logits [N,K]. Run stops after the current batch when ctx is cancelled, and returns the error of ctx. Other errors name the file,
// what was expected and what was found.
func Run(ctx context.Context, o Options, models []string, data *dataset.Dataset) (*report.Result, error) {
	if err := o.normalize(models, data); err != nil {
		return nil, fault.Input(err)
	}
	library, err := ort.OpenDefault("")
	if err != nil {
		return nil, err
	}
	progress := &progress{}
	if o.Dir != "" {
		if err := os.MkdirAll(o.Dir, 0o755); err != nil {
			return nil, err
		}
		if progress, err = openProgress(filepath.Join(o.Dir, progressFile)); err != nil {
			return nil, err
		}
		defer progress.Close()
	}
	corrupt, err := openCorruptions(o.Corruptions, data, o.Settings.Seed)
	if err != nil {
		return nil, fmt.Errorf("corruptions: %w", err)
	}
	defer corrupt.Close()
	j := &job{Options: o, data: data, digest: data.Digest(), library: library.Version(), progress: progress, corrupt: corrupt}
	result := &report.Result{RNAS: o.Version, ONNXRuntime: library.Version(), Provider: string(o.Runtime.Provider)}
	if o.Protocol != nil {
		result.Protocol = o.Protocol.report(o, data)
	}
	result.Reproduce = &report.Reproduce{Command: o.Command, Data: data.Name, DataSHA256: j.digest, Seed: o.Settings.Seed}
	result.Data = report.NewData(data)
	points, galleries, err := j.measureAll(ctx, models, result)
	if err != nil {
		return nil, err
	}
	if o.Transfer != nil {
		if err := j.transfer(ctx, *o.Transfer, models, points, result); err != nil {
			return nil, fmt.Errorf("transfer: %w", err)
		}
	}
	result.Comparisons = compare(o.Attacks, data, points)
	if o.Dir == "" {
		return result, nil
	}
	if err := writePoints(filepath.Join(o.Dir, pointsFile), o.Attacks, data, points); err != nil {
		return nil, err
	}
	return result, result.Write(o.Dir, galleries)
}

// measureAll compares plain inference by every pair of providers, and measures every model with each provider.
func (j *job) measureAll(ctx context.Context, models []string, result *report.Result) (points []modelPoints, galleries []*report.Gallery, err error) {
	runs := append([]ort.Options{j.Runtime}, j.Others...)
	for i, other := range j.Others {
		result.Provider += "," + string(other.Provider)
		for _, first := range runs[:i+1] {
			for _, path := range models {
				a, err := agree(path, j.data, j.Batch, j.Model, first, other)
				if err != nil {
					return nil, nil, named(path, err)
				}
				result.Agreements = append(result.Agreements, a)
			}
		}
	}
	for _, run := range runs {
		on := *j
		on.Runtime = run
		for _, path := range models {
			m, p, err := on.measure(ctx, path)
			if err != nil {
				return nil, nil, named(path, err)
			}
			if len(j.Others) > 0 {
				m.Provider = string(run.Provider)
			}
			p.path = m.Label()
			result.Models, points, galleries = append(result.Models, m), append(points, p), append(galleries, p.gallery)
		}
	}
	return points, galleries, nil
}

// named adds the path to an error that does not name it yet.
func named(path string, err error) error {
	var file *fs.PathError
	if errors.As(err, &file) && file.Path == path {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// normalize fills in the defaults. The error is about options that contradict each other, the models or the data.
func (o *Options) normalize(models []string, data *dataset.Dataset) error {
	o.Runtime.Provider = o.Runtime.Provider.Canonical()
	if o.Batch == 0 {
		o.Batch = defaultBatch(o.Runtime, data.Shape[:])
	}
	switch {
	case len(models) == 0:
		return fmt.Errorf("no models to measure")
	case data.Len() == 0:
		return fmt.Errorf("data %s: no images", data.Name)
	case o.Batch < 0:
		return fmt.Errorf("batch %d: expected at least 1", o.Batch)
	case slices.ContainsFunc(o.Others, func(other ort.Options) bool { return other.Provider.Canonical() == o.Runtime.Provider }):
		return fmt.Errorf("providers to compare: expected others than %s", o.Runtime.Provider)
	case o.Transfer != nil && len(models) < 2:
		return fmt.Errorf("transfer of %s: expected two or more models, found %d", o.Transfer.Name, len(models))
	case o.Model.Validate() != nil:
		return o.Model.Validate()
	case o.Images && o.Dir == "":
		return fmt.Errorf("adversarial images need a folder to be written to")
	}
	return o.Settings.Validate()
}
