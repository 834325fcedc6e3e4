package search

import (
	"context"
	"os"
	"path/filepath"

	"rnas/internal/dataset"
	"rnas/internal/rng"
	"rnas/train/loop"
)

// random draws a genotype from the seed.
func random(_ context.Context, _ Method, c Config, _ *dataset.Dataset, dir string, _ Options) (*Result, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	log, err := loop.OpenLines(filepath.Join(dir, loop.LogFile), 0)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if err := log.Append(c); err != nil {
		return nil, err
	}
	s := rng.New(c.Seed, rng.Architecture, 0, 0, 0)
	r := &Result{Genotype: c.Super.Random(&s)}
	return r, r.write(dir)
}
