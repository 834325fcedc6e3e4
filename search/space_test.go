package search

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"rnas/genotype"
	"rnas/runtime/ort/orttest"
)

// The cell of NAS-Bench-201, and partial channels with edge normalisation, go through the same loop: the genotype is of the space,
// and the architecture parameters of every epoch are kept by edge.
func TestSearchSpaces(t *testing.T) {
	orttest.Open(t)
	bench, err := genotype.LookupSpace("nas-bench-201")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"nas-bench-201":    func(c *Config) { c.Super.Space = bench },
		"partial channels": func(c *Config) { c.Super.Partial, c.Super.EdgeNorm = 4, true },
	} {
		t.Run(name, func(t *testing.T) {
			c, data := tiny(t, "rnas")
			change(&c)
			c.Epochs = 1
			dir := t.TempDir()
			r, err := Run(context.Background(), c, data, dir, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !c.Super.Contains(r.Genotype) {
				t.Errorf("found %s, which is not in the space", r.Genotype)
			}
			var line EpochAlphas
			if err := json.Unmarshal(bytes.TrimSpace(read(t, dir, AlphasFile)), &line); err != nil {
				t.Fatal(err)
			}
			shape := c.Super.AlphaShape()
			if len(line.Normal) != int(shape[1]) || len(line.Normal)+len(line.Reduce) != int(shape[0]*shape[1]) || len(line.Normal[0]) != int(shape[2]) {
				t.Errorf("%d and %d edges of %d parameters, expected %v", len(line.Normal), len(line.Reduce), len(line.Normal[0]), shape)
			}
		})
	}
}
