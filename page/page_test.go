package page

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rnas/compiler/lower"
	"rnas/compiler/program"
	"rnas/genotype"
	"rnas/internal/pagetest"
	"rnas/search"
)

func TestSearch(t *testing.T) {
	c := search.Default("rnas", images)
	c.Epochs = 12
	p := read(t, searched(t, c, 12, nil))
	if p.Title != "Search by rnas" || p.Warning != "" || p.Sources != "log.jsonl, alphas.jsonl, genotype.json" {
		t.Errorf("found %q, %q, %q", p.Title, p.Warning, p.Sources)
	}
	for name, want := range map[string]string{
		"progress":    "12 of 12 epochs",
		"validation":  "accuracy 0.3050, cross-entropy 1.5000",
		"decided":     "entropy 0.9000 of at most 2.0794; 0 of 28 edges undecided; 2 skip connections",
		"regularizer": "share of the gradient 0.300, cosine to that of the cross-entropy -0.125",
		"cost":        "30.0 s of steps, 144 passes of the supernet over a batch, forward or backward",
	} {
		if got := fact(t, p.Results, name); got != want {
			t.Errorf("%s: expected %s, found %s", name, want, got)
		}
	}
	for name, want := range map[string]string{
		"alpha steps":  "cross-entropy of clean images + lambda·R with f' of noise examples",
		"weight steps": "cross-entropy of clean images",
		"lambda":       "chosen in every step so that R has a share of 0.3 in the sum of both gradients' norms",
		"noise":        "uniform noise of at most 8/255, 1 draw an image",
		"weights":      "SGD: learning rate 0.025 to 0.001 along half a cosine; momentum 0.9, weight decay 0.0003, norm of the gradient at most 5",
		"images":       "SHA-256 0123abcd",
	} {
		if got := fact(t, p.Settings, name); got != want {
			t.Errorf("%s: expected %s, found %s", name, want, got)
		}
	}
	var titles []string
	for _, c := range p.Charts {
		titles = append(titles, fmt.Sprintf("%s %d", c.Title, len(c.Lines)))
	}
	if got, want := strings.Join(titles, "; "), "Cross-entropy 2; Accuracy 2; Entropy 1; Undecided edges and skip connections 2; Share of the regularizer 2; "+
		"Norms of the gradients 2; Regularizer 2; Lambda 1; Learning rate 1"; got != want {
		t.Errorf("charts: expected %s, found %s", want, got)
	}
	if n := len(p.Drawings); n < 4 || n > mostDrawings || p.Drawings[0].Epoch != 1 || p.Drawings[n-1].Epoch != 12 || !strings.HasSuffix(p.Drawings[1].Note, " of 16 edges differ from the drawing before") {
		t.Errorf("found %d drawings", n)
	}
	if len(p.Figures) != 13 || len(p.Figures[0]) != 1+15 || p.Figures[12][0] != "12" {
		t.Errorf("found %d rows, %q", len(p.Figures), p.Figures[0])
	}
}

// Edges of the supernet are those of the genotype where they are marked, and their weights are a softmax by hand.
func TestSupernet(t *testing.T) {
	darts := search.Default("rnas", images)
	bench := darts
	bench.Super.Space = genotype.Spaces()[1].Space
	partial := search.Default("pcdarts", images)
	for name, c := range map[string]search.Config{"darts": darts, "nas-bench-201": bench, "pcdarts": partial} {
		dir := searched(t, c, 3, nil)
		s := read(t, dir).Cells
		g, err := genotype.Load(filepath.Join(dir, search.GenotypeFile))
		if err != nil {
			t.Fatal(err)
		}
		want, kinds, edges := 16, 2, 14
		if name == "nas-bench-201" {
			want, kinds, edges = 6, 1, 6
		}
		kept := 0
		for _, cell := range s.Cells {
			for _, e := range cell.Edges {
				if e.Op != "" {
					kept++
				}
				if len(e.Lines) != len(c.Super.Primitives) || len(strings.Fields(e.Lines[0])) != 3 {
					t.Fatalf("%s: edge %s: found lines %q", name, e.Name, e.Lines)
				}
			}
		}
		if kept != want || len(s.Cells) != kinds || len(s.Cells[0].Edges) != edges || s.Left != 0 {
			t.Errorf("%s: expected %d kept of %d cells of %d edges, found %d of %d of %d", name, want, kinds, edges, kept, len(s.Cells), len(s.Cells[0].Edges))
		}
		if name == "darts" {
			second := s.Cells[1].Edges[3] // of the second node, from its second state
			i := slices.IndexFunc(g.Reduce.Edges[2:4], func(e genotype.Edge) bool { return e.From == 1 })
			if second.Name != "3 ← 1" || (i < 0) != (second.Op == "") || i >= 0 && g.Reduce.Edges[2+i].Op != second.Op {
				t.Errorf("found %s %s, genotype %s", second.Name, second.Op, g)
			}
		}
	}
	net := lower.Supernet{Space: genotype.Space{Nodes: 1, Primitives: []genotype.Primitive{genotype.SkipConnect, genotype.MaxPool3x3}}}
	e := newSupernet([][][]float64{{{0.5, 0.5}, {0.5, 0.5}, {1, 0}, {1, 0}}, {{0.2, 0.8}, {0.4, 0.6}, {1, 0}, {1, 0}}}, net, nil).Cells[0].Edges[0]
	if want := []string{"3,36 157,55.2", "3,36 157,16.8"}; !slices.Equal(e.Lines, want) || !slices.Equal(e.Last, []string{"0.200", "0.800"}) || e.Op != "" {
		t.Errorf("expected %q, found %+v", want, e)
	}
}

// What is not in the files is not on the page: a search that has hardly begun, one without gradients, one that learnt nothing.
func TestLittle(t *testing.T) {
	c := search.Default("darts", images)
	begun := read(t, searched(t, c, 0, nil))
	if len(begun.Charts) > 0 || begun.Cells != nil || begun.Cell != "" || begun.Figures != nil || fact(t, begun.Results, "progress") != "0 of 50 epochs" || len(begun.Results) != 1 {
		t.Errorf("found %+v", begun)
	}
	elements(t, html(t, begun))

	stopped := read(t, searched(t, c, 2, func(e *search.Epoch) {
		e.Entropy, e.Undecided, e.Passes = 2.079, 28, 0
		if e.Epoch == 2 {
			e.Stopped = "<2 skip connections>"
		}
	}))
	if !strings.Contains(stopped.Warning, "28 of 28 edges undecided") || fact(t, stopped.Results, "stopped early") != "after epoch 2: <2 skip connections>" || fact(t, stopped.Results, "cost") != "5.0 s of steps" {
		t.Errorf("found %q, %+v", stopped.Warning, stopped.Results)
	}
	if text := string(html(t, stopped)); !strings.Contains(text, "&lt;2 skip connections&gt;") || !strings.Contains(text, `<div class="warning">`) || strings.Contains(text, "Share of the regularizer") {
		t.Error("the page does not tell why the search stopped, or tells of a regularizer")
	}

	dir := t.TempDir()
	c.Method = "random"
	store(t, dir, "log.jsonl", c)
	store(t, dir, search.GenotypeFile, c.Super.Random(words{}))
	random := read(t, dir)
	if len(random.Settings) != 3 || fact(t, random.Results, "genotype") == "" || random.Cell == "" {
		t.Errorf("found %+v", random)
	}
}

// words is a source of random words that are all 7.
type words struct{}

func (words) Uint32() uint32 { return 7 }

// Every method has settings that are written without a fault of formatting.
func TestSettings(t *testing.T) {
	for _, m := range search.Methods() {
		c := search.Default(m.Name, images)
		c.Input, c.Draws, c.Antithetic, c.Stop = program.Adversarial, 2, true, search.EarlyStop{Skips: 2, Curvature: 1.5}
		for _, r := range searchSettings(c, m, "") {
			if r.Text == "" || strings.Contains(r.Text, "%!") || strings.Contains(r.Text, "  ") {
				t.Errorf("%s: %s: found %q", m.Name, r.Name, r.Text)
			}
		}
	}
	for _, recipe := range program.Recipes() {
		p := read(t, trained(t, recipe, 5))
		if got := fact(t, p.Settings, "recipe"); got != string(recipe)+": "+recipe.About() {
			t.Errorf("found %s", got)
		}
		if fact(t, p.Results, "progress") != "5 of 6 epochs" || fact(t, p.Results, "clean test images") != "accuracy 0.3300" || fact(t, p.Results, "cost") != "10.0 s of steps, 2.0 s an epoch" || len(p.Charts) != 3 || p.Cell == "" {
			t.Errorf("found %+v", p.Results)
		}
		attacked := slices.ContainsFunc(p.Settings, func(r Row) bool { return r.Name == "attack" })
		if attacked != recipe.Attacks() {
			t.Errorf("%s: attack in the settings: %v", recipe, attacked)
		}
	}
}

func TestReadFaults(t *testing.T) {
	good := searched(t, search.Default("darts", images), 1, nil)
	log, err := os.ReadFile(filepath.Join(good, "log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, text, want string }{
		{"log.jsonl", "", "log.jsonl: line 1: expected the configuration of a search or a training"},
		{"log.jsonl", "{}\n", "log.jsonl: line 1: expected the configuration of a search or a training"},
		{"log.jsonl", `{"method":"guess"}` + "\n", `log.jsonl: line 1: method: expected one of `},
		{"log.jsonl", string(log) + `{"epoch":"two"}` + "\n", "log.jsonl: line 3: "},
		{search.AlphasFile, `{"epoch":1,"normal":[[1,2]]}` + "\n", "alphas.jsonl: line 1: expected architecture parameters [2 14 8], found 2 of 1 edges"},
		{search.GenotypeFile, "{}", search.GenotypeFile},
	} {
		dir := searched(t, search.Default("darts", images), 1, nil)
		if err := os.WriteFile(filepath.Join(dir, c.name), []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: expected %q, found %v", c.text, c.want, err)
		}
	}
	if _, err := Read(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("found %v", err)
	}
}

func html(t *testing.T, p *Page) []byte {
	t.Helper()
	data, err := p.HTML()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// elements fails unless every element of a page is closed where it should be, and lists the starts.
func elements(t *testing.T, page []byte) (all []xml.StartElement) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(page))
	d.AutoClose, d.Entity, d.Strict = xml.HTMLAutoClose, xml.HTMLEntity, false
	var open []string
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			all = append(all, token.Copy())
			if !slices.Contains([]string{"meta", "img", "br"}, token.Name.Local) {
				open = append(open, token.Name.Local)
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != token.Name.Local {
				t.Fatalf("</%s> inside %v", token.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("%v are not closed", open)
	}
	return all
}

// The page holds all that it shows, runs nothing, and equal files give equal bytes.
func TestHTML(t *testing.T) {
	c := search.Default("rnas", images)
	for _, dir := range []string{searched(t, c, 9, nil), trained(t, program.PGD, 6)} {
		p := read(t, dir)
		page := html(t, p)
		if !bytes.Equal(page, html(t, read(t, dir))) {
			t.Error("two pages of one folder differ")
		}
		if err := Write(dir); err != nil {
			t.Fatal(err)
		}
		if written, err := os.ReadFile(filepath.Join(dir, File)); err != nil || !bytes.Equal(written, page) {
			t.Errorf("the file differs from the page: %v", err)
		}
		images, lines := 0, 0
		for _, e := range elements(t, page) {
			switch e.Name.Local {
			case "script", "link", "iframe", "object", "embed", "base", "form", "use", "foreignObject":
				t.Errorf("found <%s>", e.Name.Local)
			case "polyline":
				lines++
			}
			for _, a := range e.Attr {
				switch {
				case e.Name.Local == "img" && a.Name.Local == "src" && strings.HasPrefix(a.Value, "data:image/svg+xml;base64,"):
					images++
				case a.Name.Local == "src" || a.Name.Local == "href" || a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Value, "//"):
					t.Errorf("<%s %s=%q>", e.Name.Local, a.Name.Local, a.Value)
				}
			}
		}
		want := 0
		for _, c := range p.Charts {
			want += len(c.Lines)
		}
		if p.Cells != nil {
			want += 28 * 8
		}
		if images != 1+len(p.Drawings) || lines != want {
			t.Errorf("expected %d images and %d lines, found %d and %d", 1+len(p.Drawings), want, images, lines)
		}
	}
}

// The pages load nothing, break none of their own rules and fit 390 and 1280 pixels.
func TestBrowser(t *testing.T) {
	c := search.Default("rnas", images)
	for _, dir := range []string{trained(t, program.PGD, 6), searched(t, c, 9, nil)} {
		s := pagetest.Look(t, html(t, read(t, dir)))
		if len(s.Requests) != 1 || !strings.HasPrefix(s.Requests[0], "file:") || len(s.Faults) > 0 || len(s.Misfits) > 0 {
			t.Errorf("found %+v", s)
		}
	}
}
