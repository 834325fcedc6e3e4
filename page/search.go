package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"

	"rnas/compiler/lower"
	"rnas/genotype"
	"rnas/search"
	"rnas/train/loop"
)

// neighbours is the number of published genotypes that a page names.
const neighbours = 5

// searchCurves are the charts of a search over a supernet, whose largest entropy is most.
func searchCurves(most float64) []curve[search.Epoch] {
	type e = search.Epoch
	count := func(of func(r e) int) func(r e) *float64 {
		return func(r e) *float64 { v := float64(of(r)); return &v }
	}
	return []curve[e]{
		{title: "Cross-entropy", about: "Means over an epoch's weight steps and alpha steps, on images of their own each.", series: []series[e]{
			{"weight steps", func(r e) *float64 { return &r.Loss }},
			{"alpha steps (validation)", func(r e) *float64 { return r.ValLoss }},
		}},
		{title: "Accuracy", about: "Of the supernet on the images of both steps.", within: [2]float64{0, 1}, series: []series[e]{
			{"weight steps", func(r e) *float64 { return &r.Accuracy }},
			{"alpha steps (validation)", func(r e) *float64 { return r.ValAccuracy }},
		}},
		{title: "Entropy", about: fmt.Sprintf("Of the architecture weights, in nats, a mean over edges: at most %.4f, when nothing is decided, and 0 when all is.", most), within: [2]float64{0, most}, series: []series[e]{
			{"entropy", func(r e) *float64 { return &r.Entropy }},
		}},
		{title: "Undecided edges and skip connections", about: "Edges whose two largest weights differ by less than 0.01; skip connections of the normal cell that would be derived, or of the only one.", within: [2]float64{0, 1}, series: []series[e]{
			{"undecided edges", count(func(r e) int { return r.Undecided })},
			{"skip connections", count(func(r e) int { return r.Skips })},
		}},
		{title: "Share of the regularizer", about: "Norm of its weighted gradient over the sum of both norms, and the cosine between both gradients.", within: [2]float64{0, 1}, series: []series[e]{
			{"share", func(r e) *float64 { return r.RegShare }},
			{"cosine", func(r e) *float64 { return r.Cosine }},
		}},
		{title: "Norms of the gradients", about: "Of the cross-entropy and of the regularizer R, before it is weighted.", log: true, series: []series[e]{
			{"cross-entropy", func(r e) *float64 { return r.NormCE }},
			{"R", func(r e) *float64 { return r.NormReg }},
		}},
		{title: "Regularizer", about: "R, and lambda·R over the cross-entropy of the same steps.", log: true, series: []series[e]{
			{"R", func(r e) *float64 { return r.Reg }},
			{"lambda·R/CE", func(r e) *float64 { return r.RegOverCE }},
		}},
		{title: "Lambda", about: "The weight of the regularizer at the end of each epoch.", log: true, series: []series[e]{
			{"lambda", func(r e) *float64 { return r.Lambda }},
		}},
		{title: "Curvature", about: "The largest eigenvalue of the Hessian of the validation loss by the architecture parameters.", series: []series[e]{
			{"curvature", func(r e) *float64 { return r.Curvature }},
		}},
		{title: "Learning rate", about: "Of the weights, at the last step of each epoch.", series: []series[e]{
			{"learning rate", func(r e) *float64 { return &r.LR }},
		}},
	}
}

func searchNumber(e search.Epoch) int { return e.Epoch }

// readSearch makes the page of a search from the lines of its log and, where there are any, its architecture parameters and its
// genotype.
func readSearch(dir string, config json.RawMessage, lines []json.RawMessage) (*Page, error) {
	var c struct {
		search.Config
		Train string `json:"train_digest"`
	}
	if err := json.Unmarshal(config, &c); err != nil {
		return nil, fmt.Errorf("%s: line 1: %w", loop.LogFile, err)
	}
	m, err := search.Lookup(c.Method)
	if err != nil {
		return nil, fmt.Errorf("%s: line 1: %w", loop.LogFile, err)
	}
	epochs, err := decode(lines, searchNumber)
	if err != nil {
		return nil, err
	}
	found, err := foundGenotype(dir)
	if err != nil {
		return nil, err
	}
	p := &Page{Sources: loop.LogFile, Title: "Search by " + c.Method, Settings: searchSettings(c.Config, m, c.Train)}
	if n := len(epochs); n > 0 {
		p.Warning = epochs[n-1].Warning(c.Super)
	}
	if p.Results, err = searchResults(c.Config, m, epochs, found); err != nil {
		return nil, err
	}
	drawAll(p, searchCurves(math.Log(float64(len(c.Super.Primitives)))), epochs, searchNumber)
	if p.Drawings, err = drawings(epochs); err != nil {
		return nil, err
	}
	if p.Cells, err = readSupernet(filepath.Join(dir, search.AlphasFile), c.Super, found); err != nil {
		return nil, err
	}
	if p.Cells != nil {
		p.Sources += ", " + search.AlphasFile
	}
	if found != nil {
		p.Sources += ", " + search.GenotypeFile
		p.Cell, err = picture(*found)
	}
	return p, err
}

// foundGenotype is the result in the folder of a search, nil if there is none yet.
func foundGenotype(dir string) (*genotype.Genotype, error) {
	g, err := genotype.Load(filepath.Join(dir, search.GenotypeFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return &g, err
}

// searchResults tells what was found.
func searchResults(c search.Config, m search.Method, epochs []search.Epoch, found *genotype.Genotype) ([]Row, error) {
	var r rows
	if m.Gradient() {
		r.add("progress", "%d of %s", len(epochs), counted(c.Epochs, "epoch"))
	}
	if n := len(epochs); n > 0 {
		last, seconds := epochs[n-1], 0.0
		for _, e := range epochs {
			seconds += e.Seconds
		}
		if last.Stopped != "" {
			r.add("stopped early", "after epoch %d: %s", last.Epoch, last.Stopped)
		}
		if last.ValAccuracy != nil && last.ValLoss != nil {
			r.add("validation", "accuracy %.4f, cross-entropy %.4f", *last.ValAccuracy, *last.ValLoss)
		}
		edges := c.Super.Kinds() * c.Super.Edges()
		r.add("decided", "entropy %.4f of at most %.4f; %d of %s undecided; %s", last.Entropy, math.Log(float64(len(c.Super.Primitives))),
			last.Undecided, counted(edges, "edge"), counted(last.Skips, "skip connection"))
		if last.RegShare != nil && last.Cosine != nil {
			r.add("regularizer", "share of the gradient %.3f, cosine to that of the cross-entropy %.3f", *last.RegShare, *last.Cosine)
		}
		r.add("cost", "%s", sentence(fmt.Sprintf("%.1f s of steps", seconds), when(last.Passes > 0, "%d passes of the supernet over a batch, forward or backward", last.Passes)))
	}
	if found == nil {
		return r, nil
	}
	r.add("genotype", "%s", found)
	net := c.Super.Macro
	net.Channels, net.Layers = found.Form.Size()
	size, err := sizeText(net, *found)
	if err != nil {
		return nil, err
	}
	if size != "" {
		r.add("size when trained", "%s: %s", macroText(net), size)
	}
	if near := genotype.Nearest(*found, neighbours); len(near) > 0 {
		r.add("nearest published", "%s; nodes are matched so that the fewest edges differ", neighboursText(near))
	}
	return r, nil
}

// searchSettings puts a configuration into words.
func searchSettings(c search.Config, m search.Method, digest string) []Row {
	var r rows
	r.add("method", "%s: %s", m.Name, m.About)
	r.add("space", "%s", spaceText(c.Super.Space))
	if m.Gradient() {
		gradientSettings(&r, c)
	}
	r.add("seed", "%d", c.Seed)
	if digest != "" {
		r.add("images", "SHA-256 %s", digest)
	}
	return r
}

// supernetText describes the supernet without its space.
func supernetText(n lower.Supernet) string {
	return sentence(macroText(n.Macro), when(n.Partial > 1, "1/%d of the channels of an edge through its primitives", n.Partial), when(n.EdgeNorm, "edge normalisation"))
}
