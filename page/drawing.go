package page

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"

	"rnas/genotype"
	"rnas/search"
)

// mostDrawings bounds the epochs whose genotype is drawn.
const mostDrawings = 8

// picture is the drawing of a genotype as an address that holds it.
func picture(g genotype.Genotype) (template.URL, error) {
	var b bytes.Buffer
	if err := genotype.SVG(&b, g); err != nil {
		return "", err
	}
	return template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(b.Bytes())), nil
}

// drawings are the genotypes that would be derived after the first epoch, every so many epochs and the last, with the number of edges
// in which each differs from the drawing before.
func drawings(epochs []search.Epoch) (list []drawing, err error) {
	every := (len(epochs) + mostDrawings - 2) / (mostDrawings - 1)
	var before *genotype.Genotype
	for i, e := range epochs {
		if i > 0 && e.Epoch%every != 0 && i < len(epochs)-1 {
			continue
		}
		g, err := genotype.Parse(e.Genotype)
		if err != nil {
			return nil, fmt.Errorf("epoch %d: genotype: %w", e.Epoch, err)
		}
		d := drawing{Epoch: e.Epoch}
		if before != nil {
			if differ, edges, ok := genotype.Distance(*before, g); ok {
				d.Note = fmt.Sprintf("%d of %d edges differ from the drawing before", differ, edges)
			}
		}
		if d.Image, err = picture(g); err != nil {
			return nil, err
		}
		list, before = append(list, d), &g
	}
	return list, nil
}
