package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"rnas/internal/fault"
	"rnas/runtime/ort"

	"github.com/spf13/pflag"

	"rnas/compiler/lower"
	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/units"
)

// epsValue is the flag of a size in pixels, such as 8/255.
type epsValue struct {
	text string
	size float64
}

func newEps(text string) epsValue {
	var e epsValue
	if err := e.Set(text); err != nil {
		panic(err) // a default of this program
	}
	return e
}

func (e *epsValue) String() string { return e.text }
func (e *epsValue) Type() string   { return "size" }

func (e *epsValue) Set(text string) error {
	size, err := units.ParseEps(text)
	if err == nil {
		e.text, e.size = text, size
	}
	return err
}

// imageValue is the flag of an image shape, such as 3x32x32.
type imageValue struct{ depth, height, width int }

func (v *imageValue) String() string {
	if *v == (imageValue{}) {
		return ""
	}
	return fmt.Sprintf("%dx%dx%d", v.depth, v.height, v.width)
}
func (v *imageValue) Type() string { return "CxHxW" }

func (v *imageValue) Set(text string) error {
	var n [3]int
	parts := strings.Split(text, "x")
	for i, p := range parts {
		k, err := strconv.Atoi(p)
		if err != nil || len(parts) != len(n) || k < 1 || k > 1<<16 {
			return fmt.Errorf("expected a shape such as 3x32x32, found %q", text)
		}
		n[i] = k
	}
	v.depth, v.height, v.width = n[0], n[1], n[2]
	return nil
}

// runtimeFlags choose the library and how it runs.
type runtimeFlags struct {
	provider        string
	device, threads int
	library         string
}

func (r *runtimeFlags) add(f *pflag.FlagSet) {
	f.StringVar(&r.provider, "provider", "cpu", "execution provider: "+strings.Join(ort.ProviderNames(), ", "))
	f.IntVar(&r.device, "device", 0, "number of the device, where the provider has several")
	f.IntVar(&r.threads, "threads", 0, "threads that one operator may use, 0 for one per core")
	addLibrary(f, &r.library)
}

func addLibrary(f *pflag.FlagSet, library *string) {
	f.StringVar(library, "ort-lib", "", "ONNX Runtime library, a file or its folder (default: the one that rnas doctor finds)")
}

// open loads the library and returns the options of sessions.
func (r *runtimeFlags) open() (ort.Options, error) {
	if r.threads < 0 || r.device < 0 {
		return ort.Options{}, fault.Inputf("--threads, --device: expected at least 0, found %d and %d", r.threads, r.device)
	}
	if err := openLibrary(r.library); err != nil {
		return ort.Options{}, err
	}
	return ort.Options{Provider: ort.Provider(r.provider), Device: r.device, Threads: r.threads}, nil
}

func openLibrary(path string) error {
	_, err := ort.OpenDefault(path)
	if err != nil && path != "" {
		return fault.Inputf("--ort-lib: %w", err)
	}
	return err
}

// dataFlags choose the images.
type dataFlags struct {
	source string
	limit  int
	only   string // the part of the data that is needed, "" for training and test

	labels, index string // paths
	resize, crop  int    // pixels, 0 for none
}

func (d *dataFlags) add(f *pflag.FlagSet) {
	d.addSource(f)
	addLimit(f, &d.limit)
}

func (d *dataFlags) addSource(f *pflag.FlagSet) {
	f.StringVar(&d.source, "data", "synthetic", "images: "+dataset.Usage())
	f.StringVar(&d.labels, "labels", "", "table of files and their classes (.csv, or with tabs or spaces), for a folder of images without class folders")
	f.StringVar(&d.index, "class-index", "", "names of the classes by label: a .json such as imagenet_class_index.json, or a text with a name in each line")
}

// addSizes declares the sizes of images, but for commands whose --crop is that of augmentation: there they are options of the data source.
func (d *dataFlags) addSizes(f *pflag.FlagSet) {
	if f.Lookup("crop") != nil {
		return
	}
	f.IntVar(&d.resize, "resize", 0, "resize images so that the shorter side has so many pixels, as torchvision does with antialiasing")
	f.IntVar(&d.crop, "crop", 0, "cut a square of so many pixels a side from the middle of the images, after --resize")
}

// spec is the data source with the options that flags give.
func (d *dataFlags) spec() (string, error) {
	for _, f := range []struct {
		name  string
		value int
	}{{"resize", d.resize}, {"crop", d.crop}, {"limit", d.limit}} {
		if f.value < 0 {
			return "", fault.Inputf("--%s: expected at least 0, found %d", f.name, f.value)
		}
	}
	spec := d.source
	for _, o := range []struct{ name, value, none string }{
		{"labels", d.labels, ""}, {"class-index", d.index, ""}, {"resize", strconv.Itoa(d.resize), "0"}, {"crop", strconv.Itoa(d.crop), "0"},
	} {
		if o.value == o.none {
			continue
		}
		spec = dataset.WithOption(spec, o.name, o.value)
		if _, err := dataset.ParseSpec(spec); err != nil {
			return "", fault.Inputf("--%s: %w", o.name, err)
		}
	}
	return spec, nil
}

func addLimit(f *pflag.FlagSet, limit *int) {
	f.IntVar(limit, "limit", 0, "at most so many images of a split, in the class proportions of the whole, 0 for all")
}

// open reads the images.
func (d *dataFlags) open(ctx context.Context, progress io.Writer) (*dataset.Splits, error) {
	spec, err := d.spec()
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(progress, "reading %s\n", spec)
	s, err := dataset.Open(ctx, spec, dataset.Options{Limit: d.limit, Only: d.only})
	if err != nil {
		return nil, fault.Inputf("--data: %w", err)
	}
	parts := []string{"train", "test"}
	if d.only != "" {
		parts = []string{d.only}
	}
	for _, name := range parts {
		part, err := s.Part(name)
		if err != nil {
			return nil, fault.Inputf("--data: %s: %w", spec, err)
		}
		tellData(progress, part)
	}
	return s, nil
}

// tellData tells what was left out of a part of the data, and the notes on it.
func tellData(w io.Writer, d *dataset.Dataset) {
	const most = 10
	if n := len(d.LeftOut); n > 0 {
		fmt.Fprintf(w, "%s: %d files left out\n", d.Name, n)
		for _, l := range d.LeftOut[:min(n, most)] {
			fmt.Fprintf(w, "  %s: %s\n", l.File, l.Reason)
		}
		if n > most {
			fmt.Fprintf(w, "  and %d more\n", n-most)
		}
	}
	for _, note := range d.Notes {
		fmt.Fprintf(w, "%s: %s\n", d.Name, note)
	}
}

// seed is that of the order in which images are taken.
func (d *dataFlags) seed() uint64 {
	spec, err := dataset.ParseSpec(d.source)
	if err != nil {
		return 0
	}
	return spec.Seed
}

// inputFlags choose the images and how programs on them run.
type inputFlags struct {
	data    dataFlags
	runtime runtimeFlags
}

// around declares the flags around those of a command.
func (i *inputFlags) around(f *pflag.FlagSet, own func(f *pflag.FlagSet)) {
	i.data.add(f)
	own(f)
	i.data.addSizes(f)
	i.runtime.add(f)
}

// open reads the images and loads the library.
func (i *inputFlags) open(ctx context.Context, progress io.Writer) (*dataset.Splits, ort.Options, error) {
	data, err := i.data.open(ctx, progress)
	if err != nil {
		return nil, ort.Options{}, err
	}
	o, err := i.runtime.open()
	return data, o, err
}

// limited takes at most so many images of each split.
func limited(s *dataset.Splits, limit int, seed uint64) (*dataset.Splits, error) {
	if limit < 0 {
		return nil, fault.Inputf("--limit: expected at least 0, found %d", limit)
	}
	return &dataset.Splits{Train: s.Train.Limit(limit, seed), Test: s.Test.Limit(limit, seed)}, nil
}

// macroFlags are the size of a network.
type macroFlags struct{ channels, layers, classes int }

func (m *macroFlags) add(f *pflag.FlagSet, channels, layers int) {
	f.IntVar(&m.channels, "channels", channels, "channels of the first cells")
	f.IntVar(&m.layers, "layers", layers, "cells")
}

func (m *macroFlags) addClasses(f *pflag.FlagSet) {
	f.IntVar(&m.classes, "classes", 10, "classes")
}

// fit gives the flags that were not set the size that networks of a form are published with.
func (m macroFlags) fit(f *pflag.FlagSet, form genotype.Form) macroFlags {
	if form == genotype.DARTS {
		return m
	}
	channels, layers := form.Size()
	if !f.Changed("channels") {
		m.channels = channels
	}
	if !f.Changed("layers") {
		m.layers = layers
	}
	return m
}

// cifar is the skeleton for images of the size of CIFAR's.
func (m macroFlags) cifar() lower.Macro {
	return lower.Macro{Channels: m.channels, Layers: m.layers, Classes: m.classes, Depth: 3, Height: 32, Width: 32}
}

// checkOutput checks that a file can be put at path.
func checkOutput(flag, path string) error {
	if path == "" {
		return fault.Inputf("%s: expected a file to write, found none", flag)
	}
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil {
		return fault.Inputf("%s: %w", flag, err)
	} else if !info.IsDir() {
		return fault.Inputf("%s: %s is not a folder", flag, dir)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fault.Inputf("%s: expected a file, %s is a folder", flag, path)
	}
	return nil
}

const (
	opsetUsage = "operator set of the model, 13 to 27"
	anyOpset   = opsetUsage + " (default: the oldest from 18 on that has its operators and types)"
)

func checkOpset(opset int) error {
	if opset < 13 || opset > 27 {
		return fault.Inputf("--opset: expected 13 to 27, found %d", opset)
	}
	return nil
}
