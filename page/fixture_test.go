package page

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/search"
	"rnas/train"
)

var images = lower.Macro{Channels: 4, Layers: 4, Classes: 4, Height: 16, Width: 16, Depth: 3}

// store writes lines of JSON into a file of a folder.
func store(t *testing.T, dir, name string, lines ...any) {
	t.Helper()
	var text []byte
	for _, l := range lines {
		data, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, data...), '\n')
	}
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// alphasAt are made-up architecture parameters after an epoch: they grow apart.
func alphasAt(net lower.Supernet, epoch int) []float32 {
	shape := net.AlphaShape()
	alphas := make([]float32, shape[0]*shape[1]*shape[2])
	for i := range alphas {
		alphas[i] = float32(0.1 * float64(epoch) * math.Sin(float64(i*i)))
	}
	return alphas
}

func pointer(v float64) *float64 { return &v }

// searched is the folder of a search whose log was made up: its number of epochs is n of those that the configuration asks for.
func searched(t *testing.T, c search.Config, n int, change func(e *search.Epoch)) string {
	t.Helper()
	dir := t.TempDir()
	log := []any{struct {
		search.Config
		Train string `json:"train_digest"`
	}{c, "0123abcd"}}
	var alphas []any
	var g genotype.Genotype
	for i := range n {
		a := alphasAt(c.Super, i)
		var err error
		if g, err = search.Derive(a, c.Super); err != nil {
			t.Fatal(err)
		}
		x := float64(i)
		e := search.Epoch{
			Epoch: i + 1, Seconds: 2.5, Passes: int64(12 * (i + 1)), Loss: 1.5 / (1 + x), Accuracy: 0.25 + x/100, LR: 0.025 - x/1000,
			ValLoss: pointer(1.5), ValAccuracy: pointer(0.25 + x/200), Entropy: 2 - x/10, Undecided: max(28-3*i, 0), Skips: i % 3, Genotype: g.String(),
		}
		if c.Reg != "" {
			e.Reg, e.RegOverCE, e.Lambda = pointer(0.001*(1+x)), pointer(0.02), pointer(40)
			e.NormCE, e.NormReg, e.RegShare, e.Cosine = pointer(0.1), pointer(0.001), pointer(0.3), pointer(-0.125)
		}
		if change != nil {
			change(&e)
		}
		log = append(log, e)
		rows := slices.Collect(slices.Chunk(a, int(c.Super.AlphaShape()[2])))
		alphas = append(alphas, search.EpochAlphas{Epoch: i + 1, Normal: rows[:c.Super.Edges()], Reduce: rows[c.Super.Edges():]})
	}
	store(t, dir, "log.jsonl", log...)
	store(t, dir, search.AlphasFile, alphas...)
	if n > 0 {
		store(t, dir, search.GenotypeFile, g)
	}
	return dir
}

// trained is the folder of a training whose log was made up.
func trained(t *testing.T, recipe program.Recipe, n int) string {
	t.Helper()
	dir := t.TempDir()
	entry, err := genotype.Lookup("DARTS_V2")
	if err != nil {
		t.Fatal(err)
	}
	c := train.Default(lower.Evaluation{Macro: images, Genotype: entry.Genotype}, recipe)
	c.Epochs, c.ValidateEvery = 6, 2
	log := []any{struct {
		train.Config
		Train string `json:"train_digest"`
		Test  string `json:"test_digest"`
	}{c, "0123abcd", "4567"}}
	for i := range n {
		e := train.Epoch{Epoch: i + 1, Seconds: 2, Loss: 1.5 - float64(i)/10, Accuracy: 0.25 + float64(i)/10, LR: 0.05}
		if i%2 == 1 {
			e.ValAccuracy = pointer(0.3 + float64(i)/100)
		}
		log = append(log, e)
	}
	store(t, dir, "log.jsonl", log...)
	return dir
}

func read(t *testing.T, dir string) *Page {
	t.Helper()
	p, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// fact is the text of a row; the test fails without it.
func fact(t *testing.T, list []Row, name string) string {
	t.Helper()
	i := slices.IndexFunc(list, func(r Row) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("expected a fact about %s, found %+v", name, list)
	}
	return list[i].Text
}
