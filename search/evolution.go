package search

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"rnas/genotype"
	"rnas/internal/dataset"
	"rnas/internal/fault"
	"rnas/internal/rng"
	"rnas/search/score"
	"rnas/search/table"
	"rnas/train/loop"
)

// Evolution are the settings of the method evolution. Genotypes are scored in networks of Super.Channels and Super.Layers, on Batch images of
// the first part of the Split, and tested, where a score trains, on the second.
type Evolution struct {
	// Objectives are scores of package score; of costs, such as params, less is better, of all others more. With one of them the search is
	// for the best genotype, with several for those that no other one dominates.
	Objectives []string `json:"objectives"`
	// Population is the number of youngest genotypes that can be parents, Tournament that of those among which a parent is the best, drawn
	// with replacement, and Evaluations that of all genotypes, the first Population of which are random.
	Population  int `json:"population"`
	Tournament  int `json:"tournament"`
	Evaluations int `json:"evaluations"`
	Repeats     int `json:"repeats,omitempty"` // draws over which scores are averaged, 0 for one
}

// DefaultEvolution has tournaments of a quarter of the population, as Real et al. 2019, section 4 (25 of 100), at a fifth of that size.
func DefaultEvolution() Evolution {
	return Evolution{Objectives: []string{"combined"}, Population: 20, Tournament: 5, Evaluations: 100}
}

// evolving are the settings of scores at initialisation: those of score.Default.
func evolving(c *Config) {
	d := score.Default()
	c.Evolution = DefaultEvolution()
	c.Super.Channels, c.Super.Layers, c.Batch = d.Channels, d.Layers, d.Batch
}

func (c Config) validEvolution() error {
	e := c.Evolution
	if _, err := score.Columns(e.Objectives); err != nil {
		return fmt.Errorf("objectives: %w", err)
	}
	for i, name := range e.Objectives {
		if slices.Contains(e.Objectives[:i], name) {
			return fmt.Errorf("objectives: expected %s once, found it twice", name)
		}
	}
	switch {
	case e.Population < 1 || e.Population > 1_000_000:
		return fmt.Errorf("population: expected 1 to 1000000, found %d", e.Population)
	case e.Tournament < 1 || e.Tournament > e.Population:
		return fmt.Errorf("tournament: expected 1 to %d, the population, found %d", e.Population, e.Tournament)
	case e.Evaluations < e.Population || e.Evaluations > 10_000_000:
		return fmt.Errorf("evaluations: expected %d, the population, to 10000000, found %d", e.Population, e.Evaluations)
	case !(c.Split > 0 && c.Split < 1):
		return fmt.Errorf("split: expected above 0 and below 1, found %v", c.Split)
	}
	return nil
}

// evolution is regularized, or aging, evolution (Real et al., "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019,
// algorithm 1). In a tournament genotypes are compared by their scores; a score that is made of ranks, such as combined, is of the ranks
// among all genotypes scored so far, so that it is taken anew before every tournament. With several objectives the comparison is that by
// fronts and crowding among the population (Deb et al. 2002). A genotype that misses a score is below all others in it.
//
// The result is the best genotype of the whole history, or, with several objectives, the one of its front that is best in the first. The
// history is appended to; genotype number i depends on the seed, i and the history before it alone.
func evolution(ctx context.Context, _ Method, c Config, train *dataset.Dataset, dir string, o Options) (*Result, error) {
	e, err := newEvolver(c, train, o)
	if err != nil {
		return nil, err
	}
	if err := logConfig(c, dir); err != nil {
		return nil, err
	}
	if e.history, err = openHistory(dir, identity{c, train.Digest()}, e.scorer.Columns()); err != nil {
		return nil, err
	}
	defer e.history.close()
	meter := score.NewMeter(o.Progress, "evolution", len(e.history.list), c.Evolution.Evaluations)
	defer meter.End()
	for len(e.history.list) < c.Evolution.Evaluations {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("stopped after %d of %d evaluations: %w", len(e.history.list), c.Evolution.Evaluations, err)
		}
		if err := e.step(ctx); err != nil {
			return nil, err
		}
		meter.Step()
	}
	r, err := e.best()
	if err != nil {
		return nil, err
	}
	if len(c.Evolution.Objectives) > 1 {
		if err := e.writeFront(dir); err != nil {
			return nil, err
		}
	}
	return r, r.write(dir)
}

// evolver is an evolution in execution.
type evolver struct {
	config  Config
	bounds  *limiter
	scorer  *score.Scorer
	history *history
}

func newEvolver(c Config, train *dataset.Dataset, o Options) (*evolver, error) {
	if err := loop.Fits(c.Super.Macro, train); err != nil {
		return nil, fault.Input(err)
	}
	first, second, err := train.Split(c.Split, c.Seed)
	if err != nil {
		return nil, fault.Inputf("split: %w", err)
	}
	if o.Runtime.Threads == 0 {
		o.Runtime.Threads = 1 // the networks are small
	}
	e := &evolver{config: c}
	if e.bounds, err = newLimiter(c, o.Runtime); err != nil {
		return nil, err
	}
	e.scorer, err = score.NewScorer(score.Config{
		Scores: c.Evolution.Objectives, Channels: c.Super.Channels, Layers: c.Super.Layers, Batch: c.Batch, Seed: c.Seed,
		Epsilon: c.Noise.Size, Repeats: c.Evolution.Repeats,
	}, &dataset.Splits{Train: first, Test: second}, o.Runtime)
	return e, err
}

// step scores the next genotype.
func (e *evolver) step(ctx context.Context) error {
	i := len(e.history.list)
	stream := rng.New(e.config.Seed, rng.Architecture, 0, i, 0)
	next := evaluation{Number: i + 1}
	var g genotype.Genotype
	var err error
	if i < e.config.Evolution.Population {
		g, err = e.bounds.draw(ctx, &stream)
	} else {
		parent := e.tournament(&stream)
		next.Parent = parent + 1
		g, err = e.bounds.mutate(ctx, &stream, e.history.list[parent].genotype)
	}
	if err != nil {
		return err
	}
	if i == 0 {
		if err := e.scorer.Check(g); err != nil {
			return fault.Input(err)
		}
	}
	row, known := e.history.rows[table.Key(g)]
	if !known {
		if row, err = e.scorer.Score(ctx, g); err != nil {
			return fmt.Errorf("evaluation %d: %w", i+1, err)
		}
	}
	return e.history.append(next, g, row)
}

// tournament draws a parent out of the population, by its place in the history.
func (e *evolver) tournament(r *rng.Stream) int {
	s := e.config.Evolution
	first := len(e.history.list) - s.Population
	place := standing(e.objectives()[first:])
	best := -1
	for range s.Tournament {
		if i := r.IntN(s.Population); best < 0 || place[i] < place[best] {
			best = i
		}
	}
	return first + best
}

// objectives are the objectives of all genotypes of the history, of which more is better.
func (e *evolver) objectives() [][]float64 {
	var rows [][]float64
	for _, h := range e.history.list {
		rows = append(rows, h.row)
	}
	result := e.scorer.Result(rows)
	points := make([][]float64, len(rows))
	for _, name := range e.config.Evolution.Objectives {
		cost := score.Cost(name)
		for i, v := range result.Column(name) {
			switch {
			case math.IsNaN(v):
				v = math.Inf(-1)
			case cost:
				v = -v
			}
			points[i] = append(points[i], v)
		}
	}
	return points
}

// best is the result: the first one of the genotypes that nothing dominates and that are best in the first objective.
func (e *evolver) best() (*Result, error) {
	points := e.objectives()
	best := -1
	for _, i := range sortFronts(points)[0] {
		if best < 0 || points[i][0] > points[best][0] {
			best = i
		}
	}
	if math.IsInf(points[best][0], -1) {
		return nil, fault.Inputf("no genotype has a finite %s: choose fewer channels or layers", strings.Join(e.config.Evolution.Objectives, ", "))
	}
	return &Result{Genotype: e.history.list[best].genotype}, nil
}
