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
}

func (d *dataFlags) add(f *pflag.FlagSet) {
	d.addSource(f)
	addLimit(f, &d.limit)
}

func (d *dataFlags) addSource(f *pflag.FlagSet) {
	f.StringVar(&d.source, "data", "synthetic", "images: "+dataset.Usage())
}

func addLimit(f *pflag.FlagSet, limit *int) {
	f.IntVar(limit, "limit", 0, "at most so many images of a split, in the class proportions of the whole, 0 for all")
}

// open reads the images.
func (d *dataFlags) open(ctx context.Context, progress io.Writer) (*dataset.Splits, error) {
	fmt.Fprintf(progress, "reading %s\n", d.source)
	s, err := dataset.Open(ctx, d.source, dataset.Options{})
	if err != nil {
		return nil, fault.Inputf("--data: %w", err)
	}
	return limited(s, d.limit, d.seed())
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
