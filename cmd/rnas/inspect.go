package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rnas/bench/inspect"
	"rnas/internal/fault"
	"rnas/page"

	"github.com/spf13/pflag"

	"rnas/genotype"
	"rnas/internal/atomicfile"
)

const inspectDetail = `A genotype is a file, zoo:NAME or a string of NAS-Bench-201. --draw draws its cells, or those that a model or a run
folder names. Of the folder of a search, a training or a whole run it tells what was done and found.`

type inspectFlags struct {
	macro  macroFlags
	draw   string
	passes string
	pipe   string
	block  int64
	model  modelFlags
	asJSON *bool
}

func inspectCommand(f *pflag.FlagSet) action {
	var i inspectFlags
	i.macro.add(f, 36, 20)
	i.macro.addClasses(f)
	f.StringVar(&i.draw, "draw", "", "draw the cells into this file, .svg or .dot")
	f.StringVar(&i.passes, "passes", "", "count the operators that each pass of the compiler leaves of a model; =full prints the graphs too")
	f.Lookup("passes").NoOptDefVal = passCounts
	f.StringVar(&i.pipe, "pipeline", "inference", "list of passes: "+pipelineNames()+" (the last two are those that run on the CPU provider)")
	f.Int64Var(&i.block, "block", 8, "channels of a block of the layout NCHWc in forward and program, 0 to do without that layout")
	i.model.add(f)
	i.asJSON = addJSON(f)
	return func(_ context.Context, c *console, args []string) error {
		if err := arguments(args, 1, 1, "one model, genotype or folder"); err != nil {
			return err
		}
		if i.passes != "" && i.passes != passCounts && i.passes != passFull {
			return fault.Inputf("--passes: expected nothing, %s or %s, found %q", passCounts, passFull, i.passes)
		}
		if i.draw != "" {
			if err := checkOutput("--draw", i.draw); err != nil {
				return err
			}
			if drawers[strings.ToLower(filepath.Ext(i.draw))] == nil {
				return fault.Inputf("--draw %s: expected a file name that ends in .svg or .dot", i.draw)
			}
		}
		cells, err := i.show(f, c, args[0])
		if err != nil || i.draw == "" {
			return err
		}
		if cells == nil {
			return fault.Inputf("--draw: %s names no genotype", args[0])
		}
		return draw(i.draw, *cells)
	}
}

// show prints what path is and returns the genotype that it names, if any.
func (i *inspectFlags) show(f *pflag.FlagSet, c *console, path string) (*genotype.Genotype, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return i.folder(c, path)
	case modelFile(path):
		return i.describe(c, path)
	}
	return i.genotype(f, c, path)
}

// modelFile reports whether the name is that of an ONNX model, compressed or not.
func modelFile(path string) bool {
	name := strings.ToLower(path)
	return strings.HasSuffix(name, ".onnx") || strings.HasSuffix(name, ".onnx.gz")
}

func (i *inspectFlags) describe(c *console, path string) (*genotype.Genotype, error) {
	flags, err := i.model.read()
	if err != nil {
		return nil, err
	}
	m, g, err := inspect.ReadModel(path, flags)
	if err != nil {
		return nil, fault.Input(err)
	}
	var stages []passStage
	if i.passes != "" {
		passes, err := pipeline(i.pipe, i.block)
		if err != nil {
			return nil, err
		}
		if stages, err = passStages(g, passes, i.passes == passFull); err != nil {
			return nil, fault.Input(err)
		}
	}
	if *i.asJSON {
		return m.Genotype, printJSON(c.out, struct {
			*inspect.Model
			Passes []passStage `json:"passes,omitempty"`
		}{m, stages})
	}
	if err := printModel(c.out, m); err != nil {
		return nil, err
	}
	if i.passes == "" {
		return m.Genotype, nil
	}
	return m.Genotype, printPasses(c.out, stages)
}

func printModel(w io.Writer, m *inspect.Model) error {
	t := newTable(w)
	t.row("file", fmt.Sprintf("%s, %d bytes, sha256 %s", m.Path, m.Bytes, m.SHA256))
	t.row("written by", strings.TrimSpace(m.Header.Producer+" "+m.Header.ProducerVersion))
	for _, s := range m.Header.Opsets {
		name := s.Domain
		if name == "" {
			name = "standard"
		}
		t.row("operator set", fmt.Sprintf("%s %d", name, s.Version))
	}
	for _, v := range m.Inputs {
		t.row("input", v)
	}
	for _, v := range m.Outputs {
		t.row("output", v)
	}
	t.row("stored numbers", m.Constants)
	t.row("multiply-adds", fmt.Sprintf("%.2f million an image", millions(m.MACs)))
	var ops []string
	for _, o := range m.Operators {
		ops = append(ops, fmt.Sprintf("%s %d", o.Name, o.Count))
	}
	t.row("operators", strings.Join(ops, ", "))
	if m.Images != "" {
		t.row("read as", m.Images)
	}
	for _, w := range m.Adapter {
		t.row("adapted", w)
	}
	if m.Attack.Possible {
		t.row("attackable", "yes")
	} else {
		t.row("attackable", "no: "+m.Attack.Reason)
	}
	for _, f := range m.Attack.Findings {
		t.row("gradient", f)
	}
	if names := m.Classes(); len(names) > 0 {
		t.row("classes", strings.Join(names, ", "))
	}
	if m.Genotype != nil {
		t.row("genotype", m.Genotype)
	}
	return t.flush()
}

func (i *inspectFlags) genotype(f *pflag.FlagSet, c *console, spec string) (*genotype.Genotype, error) {
	g, err := genotype.Load(spec)
	if err != nil {
		return nil, fault.Input(err)
	}
	s, err := measure(i.macro.fit(f, g.Form).cifar(), g)
	if err != nil {
		return nil, fault.Input(err)
	}
	if *i.asJSON {
		return &g, printJSON(c.out, struct {
			Size     size              `json:"size"`
			Genotype genotype.Genotype `json:"genotype"`
		}{s, g})
	}
	fmt.Fprintf(c.out, "# %s\n%s\n", s, g)
	return &g, nil
}

func (i *inspectFlags) folder(c *console, path string) (*genotype.Genotype, error) {
	f, err := inspect.ReadFolder(path)
	if err != nil {
		return nil, fault.Input(err)
	}
	if *i.asJSON {
		return f.Genotype, printJSON(c.out, f)
	}
	t := newTable(c.out)
	printFolder(t, f)
	return f.Genotype, t.flush()
}

func printFolder(t table, f *inspect.Folder) {
	t.row("folder", f.Path)
	t.row("files", strings.Join(f.Files, ", "))
	if f.Config != nil {
		printRun(t, f)
	} else if f.Genotype != nil {
		t.row("genotype", f.Genotype)
	}
	for _, m := range f.Measured {
		t.row("measured", m)
	}
	for k := range f.Folders {
		t.row()
		printFolder(t, &f.Folders[k])
	}
}

// printRun prints what a search or a training did, or its log as it is where it tells neither.
func printRun(t table, f *inspect.Folder) {
	p, err := page.Read(f.Path)
	if err != nil {
		t.row("configuration", string(f.Config))
		t.row("epochs", f.Epochs)
		if f.Last != nil {
			t.row("last epoch", string(f.Last))
		}
		t.row("not read", err)
		return
	}
	t.row("what", p.Title)
	if p.Warning != "" {
		t.row("warning", p.Warning)
	}
	for _, r := range slices.Concat(p.Results, p.Settings) {
		t.row(r.Name, r.Text)
	}
}

// drawers draw genotypes by the ending of the file.
var drawers = map[string]func(io.Writer, genotype.Genotype) error{".svg": genotype.SVG, ".dot": genotype.Dot}

func draw(path string, g genotype.Genotype) error {
	return atomicfile.Write(path, func(w io.Writer) error { return drawers[strings.ToLower(filepath.Ext(path))](w, g) })
}
