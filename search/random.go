package search

import (
	"context"
	"path/filepath"

	"rnas/internal/dataset"
	"rnas/internal/rng"
	"rnas/train/loop"
)

// random draws a genotype from the seed, and others until one is within the bounds.
func random(ctx context.Context, _ Method, c Config, _ *dataset.Dataset, dir string, o Options) (*Result, error) {
	l, err := newLimiter(c, o.Runtime)
	if err != nil {
		return nil, err
	}
	if err := logConfig(c, dir); err != nil {
		return nil, err
	}
	s := rng.New(c.Seed, rng.Architecture, 0, 0, 0)
	g, err := l.draw(ctx, &s)
	if err != nil {
		return nil, err
	}
	r := &Result{Genotype: g}
	return r, r.write(dir)
}

// logConfig writes a log of the configuration alone.
func logConfig(c Config, dir string) error {
	log, err := loop.OpenLines(filepath.Join(dir, loop.LogFile), 0)
	if err != nil {
		return err
	}
	defer log.Close()
	return log.Append(c)
}
