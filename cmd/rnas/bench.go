package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"rnas/bench"
	"rnas/bench/attack"
	"rnas/bench/report"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/runtime/ort"
)

var benchDetail = `Prints accuracy without and under attack; with --out it writes result.json, result.csv, result.md, report.html,
points.csv and, with --corruptions, corruptions.csv too, and the same command line run again goes on where it was stopped. --provider takes several names, separated by commas, to compare.

Attacks, with K and R numbers:
` + attackTable()

// attackTable has one line about each attack.
func attackTable() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, f := range attack.Families() {
		fmt.Fprintf(w, "  %s\t%s\n", f.Name, f.About)
	}
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}

// parts are the parts of the data that can be measured.
var parts = []string{"test", "train", "val", "all"}

// benchFlags are the choices of rnas bench.
type benchFlags struct {
	options bench.Options
	attacks string
	norm    string
	eps     epsValue
	step    epsValue
	split   string
	model   modelFlags
	seed    uint64

	corruptions string
	protocol    string
	transfer    string
	limit       int            // --limit of the data
	given       *pflag.FlagSet // tells which flags are given
}

func (b *benchFlags) add(f *pflag.FlagSet) {
	b.given = f
	f.StringVar(&b.attacks, "attacks", "clean,fgsm,pgd20", "names of attacks, separated by commas")
	f.StringVar(&b.norm, "norm", "linf", "norm of the perturbation: "+strings.Join(attack.Norms(), ", "))
	b.eps = newEps("8/255")
	f.Var(&b.eps, "eps", "largest norm of the perturbation, in pixels of [0,1], such as 8/255")
	f.Var(&b.step, "step-size", "step of attacks of several steps (default: that of each)")
	f.StringVar(&b.split, "split", "test", "part of the data: "+strings.Join(parts, ", "))
	f.IntVar(&b.options.Batch, "batch", 0, "images in a batch, where the model leaves their number open (default: 64, on the CPU 16 of 32x32 pixels for each thread and fewer of larger ones)")
	f.Uint64Var(&b.seed, "seed", 0, "seed of everything random")
	f.BoolVar(&b.options.Latency, "latency", false, "measure the time of inference too")
	f.BoolVar(&b.options.Curves, "curves", false, "measure accuracy under PGD-20 at 0 to 4 times eps and under PGD with 1 to 100 steps too, and check that both fall")
	f.BoolVar(&b.options.Profile, "profile", false, "print where the time of inference and attacks goes, by operator and by layer")
	f.BoolVar(&b.options.Images, "images", false, "write the adversarial images into --out as .npz")
	f.StringVar(&b.corruptions, "corruptions", "", "measure the 15 common corruptions too: generated, or cifar10c:PATH of the published files (--limit: the first images of each severity)")
	f.StringVar(&b.transfer, "transfer", "", "an attack whose images, made on each of several models, are scored on the others")
	f.StringVar(&b.protocol, "protocol", "", protocolUsage())
	f.StringVar(&b.options.Dir, "out", "", "folder for the results")
	b.model.add(f)
}

// measurement is what is measured, all but how it is run.
func (b *benchFlags) measurement() (bench.Options, error) {
	p := b.options
	attacks, err := attack.Parse(b.attacks)
	if err != nil {
		return p, fault.Inputf("--attacks: %w", err)
	}
	if !slices.Contains(parts, b.split) {
		return p, fault.Inputf("--split: expected %s, found %q", strings.Join(parts, ", "), b.split)
	}
	if b.given.Changed("batch") && b.options.Batch < 1 {
		return p, fault.Inputf("--batch: expected at least 1, found %d", b.options.Batch)
	}
	if p.Model, err = b.model.read(); err != nil {
		return p, err
	}
	if p.Corruptions, err = corruptionSource(b.corruptions, b.limit); err != nil {
		return p, err
	}
	p.Attacks = attacks
	p.Settings = attack.Settings{Norm: b.norm, Epsilon: b.eps.size, StepSize: b.step.size, Seed: b.seed}
	if err := b.follow(b.given, &p); err != nil {
		return p, err
	}
	if p.Transfer, err = transferAttack(b.transfer); err != nil {
		return p, err
	}
	return p, fault.Input(p.Settings.Validate())
}

// run measures models on a split of the data and writes the results to dir.
func (b *benchFlags) run(ctx context.Context, models []string, data *dataset.Splits, dir string, o ort.Options, progress io.Writer) (*report.Result, error) {
	p, err := b.measurement()
	if err != nil {
		return nil, err
	}
	p.Runtime, p.Version, p.Dir = o, versionText(), dir
	p.Progress = benchProgress(progress)
	images, err := data.Part(b.split)
	if err != nil {
		return nil, fault.Inputf("--split: %w", err)
	}
	if b.split == "all" {
		images = images.Limit(b.limit, b.seed) // of which each part has as many
	}
	return bench.Run(ctx, p, models, images)
}

// providerList reads --provider, which may have several names.
func providerList(text string) ([]string, error) {
	list := strings.Split(text, ",")
	for i, name := range list {
		switch {
		case !slices.Contains(ort.ProviderNames(), name):
			return nil, fault.Inputf("--provider: expected %s, found %q", strings.Join(ort.ProviderNames(), ", "), name)
		case slices.Contains(list[:i], name):
			return nil, fault.Inputf("--provider %s: %s is there twice", text, name)
		}
	}
	return list, nil
}

// benchProgress prints a line when a task is done, and every half minute how far a task is.
func benchProgress(w io.Writer) func(bench.Progress) {
	began, shown, task := time.Now(), time.Now(), ""
	return func(p bench.Progress) {
		now := time.Now()
		if name := p.Model + " " + p.Task; name != task {
			task, began = name, shown
		}
		if p.Done < p.Total && now.Sub(shown) < 30*time.Second {
			return
		}
		shown = now
		fmt.Fprintf(w, "bench %s  %s  %d of %d points  %.1fs\n", p.Model, p.Task, p.Done, p.Total, now.Sub(began).Seconds())
	}
}

func benchCommand(f *pflag.FlagSet) action {
	var in inputFlags
	var b benchFlags
	in.around(f, b.add)
	source := f.Lookup("data")
	source.DefValue, source.Usage = "", source.Usage+"; needed unless the models are trained on the embedded images, synthetic"
	asJSON := addJSON(f)
	return func(ctx context.Context, c *console, args []string) error {
		if len(args) == 0 {
			return fault.Inputf("expected one or more model files, found none")
		}
		b.limit = in.data.limit
		providers, err := providerList(in.runtime.provider)
		if err != nil {
			return err
		}
		in.runtime.provider = providers[0]
		if _, err := b.measurement(); err != nil { // before the data are read
			return err
		}
		if _, err := in.data.spec(); err != nil {
			return err
		}
		in.data.only = b.split
		if !f.Changed("data") {
			if err := trainedOnEmbedded(ctx, args); err != nil {
				return err
			}
		}
		data, o, err := in.open(ctx, c.err)
		if err != nil {
			return err
		}
		for _, name := range providers[1:] {
			other := o
			other.Provider = ort.Provider(name)
			b.options.Others = append(b.options.Others, other)
		}
		b.options.Command = c.words
		result, err := b.run(ctx, args, data, b.options.Dir, o, c.err)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(c.out, result)
		}
		if err := printProfiles(c.err, result); err != nil {
			return err
		}
		return printResult(c.out, result)
	}
}

// printResult prints accuracies in percent, one line for each model and one column for each attack, then what else was measured and the
// warnings.
func printResult(w io.Writer, r *report.Result) error {
	if r.Protocol != nil {
		fmt.Fprintln(w, r.Protocol)
	}
	t := newNumbers(w)
	header := []any{"points", "clean"}
	for _, a := range r.Models[0].Attacks {
		header = append(header, a.Name)
	}
	t.row(append(header, "worst case", "  model")...)
	for _, m := range r.Models {
		row := []any{m.Points, percent(m.Clean.Accuracy)}
		for _, a := range m.Attacks {
			row = append(row, percent(a.RobustAccuracy))
		}
		t.row(append(row, percent(m.WorstCase.RobustAccuracy), "  "+m.Label())...)
	}
	if err := t.flush(); err != nil {
		return err
	}
	for _, m := range r.Models {
		if len(m.Adapter) > 0 {
			fmt.Fprintf(w, "%s: %s\n", m.Label(), strings.Join(m.Adapter, "; "))
		}
	}
	if err := printCorruptions(w, r); err != nil {
		return err
	}
	if err := printTransfer(w, r); err != nil {
		return err
	}
	for _, a := range r.Agreements {
		fmt.Fprintln(w, a)
	}
	for _, line := range r.Lines() {
		fmt.Fprintln(w, line)
	}
	for _, m := range r.Models {
		if m.Latency == nil {
			continue
		}
		for _, l := range m.Latency.Runs {
			fmt.Fprintf(w, "%s: batch %d, %d threads: %.3g ms (median), %.4g images/s\n", m.Label(), l.Batch, m.Latency.Threads, l.P50, l.ImagesPerSecond)
		}
	}
	for i := range r.Models {
		for _, d := range r.Models[i].Warnings() {
			fmt.Fprintf(w, "%s, %s: %s\n", r.Models[i].Label(), strings.Join(d.Where, ", "), d.Flag)
			if d.Next != "" {
				fmt.Fprintf(w, "    next: %s\n", d.Next)
			}
		}
	}
	return nil
}

// percent is a fraction in percent without its sign.
func percent(fraction float64) string { return fmt.Sprintf("%.2f", 100*fraction) }
