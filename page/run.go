// Package page tells people what a search or a training did, from the log in its folder alone: as report.html, a page that loads nothing
// and runs no script, and as a list of facts.
package page

import (
	"encoding/json"
	"fmt"
	"html/template"
	"path/filepath"

	"rnas/internal/atomicfile"
	"rnas/train/loop"
)

// File is the name of the page in the folder of a run.
const File = "report.html"

// Page is what a run did. Equal files of a run give an equal page.
type Page struct {
	Title    string
	Sources  string // files that it was made from
	Warning  string // why the result says little; "" for nothing
	Results  []Row
	Settings []Row
	Charts   []*chart
	Cell     template.URL // drawing of the genotype
	Cells    *supernet    // architecture weights of a search by gradients
	Drawings []drawing    // the genotype now and then
	Figures  [][]string   // a heading and a row for each epoch; nil without epochs
}

// drawing is the genotype after an epoch.
type drawing struct {
	Epoch int
	Note  string // how it differs from the drawing before
	Image template.URL
}

// Read reads the folder of a search or a training, complete or not.
func Read(dir string) (*Page, error) {
	path := filepath.Join(dir, loop.LogFile)
	var config json.RawMessage
	var epochs []json.RawMessage
	err := loop.ReadLines(path, func(line []byte) error {
		line = append([]byte(nil), line...)
		if config == nil {
			config = line
			return nil
		}
		epochs = append(epochs, line)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var kind struct{ Method, Recipe *string }
	if config == nil || json.Unmarshal(config, &kind) != nil || (kind.Method == nil) == (kind.Recipe == nil) {
		return nil, fmt.Errorf("%s: line 1: expected the configuration of a search or a training, with a method or a recipe", path)
	}
	read := readTraining
	if kind.Method != nil {
		read = readSearch
	}
	p, err := read(dir, config, epochs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return p, nil
}

// Write reads the folder of a search or a training and writes its page there.
func Write(dir string) error {
	p, err := Read(dir)
	if err != nil {
		return err
	}
	data, err := p.HTML()
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(dir, File), data)
}

// decode reads the lines of epochs. Lines without the number of an epoch are of methods that have none.
func decode[E any](lines []json.RawMessage, number func(e E) int) (epochs []E, err error) {
	for i, line := range lines {
		var e E
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", loop.LogFile, i+2, err)
		}
		if number(e) > 0 {
			epochs = append(epochs, e)
		}
	}
	return epochs, nil
}

// drawAll draws all curves of the epochs and lists their figures.
func drawAll[E any](p *Page, curves []curve[E], epochs []E, number func(e E) int) {
	if len(epochs) == 0 {
		return
	}
	for _, c := range curves {
		if drawn := c.draw(epochs, number); drawn != nil {
			p.Charts = append(p.Charts, drawn)
		}
	}
	p.Figures = figures(curves, epochs, number)
}
