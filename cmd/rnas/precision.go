package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/pflag"

	"rnas/bench"
	"rnas/bench/attack"
	"rnas/bench/calibrate"
	"rnas/bench/report"
	"rnas/compiler/ir"
	"rnas/compiler/pass"
	"rnas/export"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/runtime/ort"
)

// Number formats of exported models.
const (
	precision32   = "fp32"
	precision16   = "fp16"
	precisionInt8 = "int8"
)

// Keys of the metadata of models in another number format.
const (
	metaPrecision   = "precision"
	metaCalibration = "calibration" // data, images and method
)

// precisionFlags choose the number format of an exported model and the images that it is calibrated and measured with.
type precisionFlags struct {
	format           string
	calibrate, check string
	method           string
	limit            int
	eps              epsValue
	runtime          runtimeFlags
}

func (p *precisionFlags) add(f *pflag.FlagSet) {
	f.StringVar(&p.format, "precision", precision32, "number format: fp32, fp16 or int8 (weights per channel, activations calibrated)")
	f.StringVar(&p.calibrate, "calibrate", "", "images whose training split gives the ranges of the activations for int8; written like --data of rnas bench")
	f.StringVar(&p.method, "calibrate-method", "minmax", "range of an activation: minmax, or percentile[=P] for the central P percent")
	f.StringVar(&p.check, "check", "", "images whose test split measures clean and PGD-20 accuracy before and after (default: those of --calibrate)")
	f.IntVar(&p.limit, "limit", 1000, "at most so many images of a split, in the class proportions of the whole, 0 for all")
	p.eps = newEps("8/255")
	f.Var(&p.eps, "eps", "largest perturbation of the attack that measures, in pixels of [0,1]")
	p.runtime.add(f)
}

func (p *precisionFlags) validate() error {
	switch p.format {
	case precision32, precision16:
		if p.calibrate != "" {
			return fault.Inputf("--calibrate: only --precision int8 is calibrated, found %s", p.format)
		}
	case precisionInt8:
		if p.calibrate == "" {
			return fault.Inputf("--calibrate: --precision int8 needs images, found none")
		}
	default:
		return fault.Inputf("--precision: expected fp32, fp16 or int8, found %q", p.format)
	}
	if _, err := calibrate.ParseMethod(p.method); err != nil {
		return fault.Inputf("--calibrate-method: %w", err)
	}
	if p.check == "" {
		p.check = p.calibrate
	}
	return nil
}

// images reads a part of a data source.
func (p *precisionFlags) images(ctx context.Context, flag, source, part string) (*dataset.Dataset, error) {
	s, err := dataset.Open(ctx, source, dataset.Options{})
	if err != nil {
		return nil, fault.Inputf("%s: %w", flag, err)
	}
	d := dataFlags{source: source}
	if s, err = limited(s, p.limit, d.seed()); err != nil {
		return nil, err
	}
	images, err := s.Part(part)
	if err != nil {
		return nil, fault.Inputf("%s: %w", flag, err)
	}
	return images, nil
}

// convert brings g to the number format.
func (p *precisionFlags) convert(ctx context.Context, g *ir.Graph, o ort.Options) error {
	if p.format == precision32 {
		return nil
	}
	step := pass.Float16()
	g.Meta[metaPrecision] = p.format
	if p.format == precisionInt8 {
		data, err := p.images(ctx, "--calibrate", p.calibrate, "train")
		if err != nil {
			return err
		}
		method, err := calibrate.ParseMethod(p.method)
		if err != nil {
			return err
		}
		ranges, err := calibrate.Ranges(ctx, g, data, method, o)
		if err != nil {
			return fault.Inputf("--calibrate: %w", err)
		}
		g.Meta[metaCalibration] = data.Name + ", " + strconv.Itoa(data.Len()) + " images, " + method.String()
		step = pass.Quantize(ranges)
	}
	return pass.Runner{Check: true}.Run(g, []pass.Pass{step})
}

// comparison is a model before and after its conversion to another number format.
type comparison struct {
	Path         string        `json:"path"`
	Precision    string        `json:"precision"`
	Bytes        int           `json:"bytes"`
	BytesFloat32 int           `json:"bytes_fp32"`
	Before       *report.Model `json:"before,omitempty"`
	After        *report.Model `json:"after,omitempty"`
}

// compare measures accuracy on clean images and under PGD-20, of the file at path and of before, the same model in
// float32. Without images it measures nothing.
func (p *precisionFlags) compare(ctx context.Context, c *console, path string, before *ir.Graph, options export.Options, o ort.Options) (*comparison, error) {
	after, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	plain, err := export.Marshal(before, options)
	if err != nil {
		return nil, err
	}
	out := &comparison{Path: path, Precision: p.format, Bytes: int(after.Size()), BytesFloat32: len(plain)}
	if p.check == "" {
		return out, nil
	}
	dir, err := os.MkdirTemp("", "rnas-export-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	float32Path := filepath.Join(dir, precision32+".onnx")
	if err := os.WriteFile(float32Path, plain, 0o666); err != nil {
		return nil, err
	}
	data, err := p.images(ctx, "--check", p.check, "test")
	if err != nil {
		return nil, err
	}
	result, err := bench.Run(ctx, bench.Options{
		Attacks: []attack.Attack{attack.PGD(20)}, Settings: attack.Settings{Norm: "linf", Epsilon: p.eps.size}, Batch: 64, Runtime: o,
		Version: versionText(), Progress: benchProgress(c.err),
	}, []string{float32Path, path}, data)
	if err != nil {
		return nil, err
	}
	out.Before, out.After = &result.Models[0], &result.Models[1]
	out.Before.Path = precision32
	return out, nil
}

// print writes sizes and accuracies in percent.
func (r *comparison) print(c *console) error {
	t := newNumbers(c.out)
	if r.Before == nil {
		t.row("bytes", "  format")
		t.row(r.BytesFloat32, "  "+precision32)
		t.row(r.Bytes, "  "+r.Precision)
		return t.flush()
	}
	t.row("bytes", "points", "clean", "pgd20", "  format")
	for _, m := range []struct {
		name  string
		bytes int
		model *report.Model
	}{{precision32, r.BytesFloat32, r.Before}, {r.Precision, r.Bytes, r.After}} {
		t.row(m.bytes, m.model.Points, percent(m.model.Clean.Accuracy), percent(m.model.WorstCase.RobustAccuracy), "  "+m.name)
	}
	if err := t.flush(); err != nil {
		return err
	}
	for _, a := range r.After.Attacks {
		for _, flag := range a.Flags {
			fmt.Fprintf(c.out, "%s, %s: %s\n", r.Path, a.Name, flag)
		}
	}
	return nil
}
