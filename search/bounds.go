package search

import (
	"context"
	"fmt"

	"rnas/compiler/lower"
	"rnas/genotype"
	"rnas/internal/fault"
	"rnas/runtime/ort"
	"rnas/search/score"
)

// Bounds limit the cost of the network that is to be trained from the genotype. The zero value has no limits.
//
// The methods random and evolution draw only genotypes within them. A gradient method changes the genotype that it derives, see
// limiter.meet. A latency is measured, so that a search bounded by it may find another genotype when it is run again.
type Bounds struct {
	Params  int64   `json:"max_params,omitempty"`  // trained parameters, without the auxiliary head; 0 for no limit
	MACs    int64   `json:"max_macs,omitempty"`    // multiply-adds of one image, likewise
	Latency float64 `json:"max_latency,omitempty"` // milliseconds of one image by score.Latency, likewise
	// Net is the skeleton of the network to be trained.
	Net lower.Macro `json:"net"`
}

func (b Bounds) any() bool { return b.Params != 0 || b.MACs != 0 || b.Latency != 0 }

func (b Bounds) validate() error {
	if b.Params < 0 || b.MACs < 0 || !(b.Latency >= 0) {
		return fmt.Errorf("max-params, max-macs, max-latency: expected at least 0, found %d, %d and %v", b.Params, b.MACs, b.Latency)
	}
	if !b.any() {
		return nil
	}
	if err := b.Net.Validate(); err != nil {
		return fmt.Errorf("train-channels, train-layers: %w", err)
	}
	return nil
}

// limiter tells which genotypes are within bounds.
type limiter struct {
	Bounds
	space   genotype.Space
	seed    uint64
	runtime ort.Options
}

// newLimiter checks besides that the cheapest genotypes of the space are within the bounds.
func newLimiter(c Config, o ort.Options) (*limiter, error) {
	l := &limiter{c.Bounds, c.Super.Space, c.Seed, o}
	if !l.any() {
		return l, nil
	}
	var found string
	for _, g := range l.cheap() {
		e, err := l.excess(g)
		if err != nil {
			return nil, fault.Input(err)
		}
		if e == nil {
			return l, nil
		}
		found = fmt.Sprintf("%s; even %s has %s", e.bound(), g, e.found)
	}
	return nil, fault.Inputf("%s: no cell is within it", found)
}

// cheap are the genotypes of least parameters and of least multiply-adds among those with one operation on all edges, whose nodes read the
// first states or the last ones.
func (l *limiter) cheap() []genotype.Genotype {
	var params, macs genotype.Genotype
	least := [2]int64{-1, -1}
	for _, p := range l.space.Primitives {
		if p == genotype.None && l.space.Form != genotype.NASBench201 {
			continue
		}
		for _, last := range []bool{false, true} {
			g := l.uniform(p, last)
			counts, err := l.counts(g)
			if err != nil {
				continue // excess tells why, for another one
			}
			if least[0] < 0 || counts[0] < least[0] {
				least[0], params = counts[0], g
			}
			if least[1] < 0 || counts[1] < least[1] {
				least[1], macs = counts[1], g
			}
		}
	}
	return []genotype.Genotype{params, macs}
}

// uniform is the genotype with an operation on all edges.
func (l *limiter) uniform(p genotype.Primitive, last bool) genotype.Genotype {
	if l.space.Form == genotype.NASBench201 {
		g := genotype.Genotype{Form: l.space.Form}
		for range l.space.Edges() {
			g.Edges = append(g.Edges, p)
		}
		return g
	}
	var edges []genotype.Edge
	for node := range l.space.Nodes {
		n := l.space.EdgesOf(node)
		first := 0
		if last {
			first = genotype.Inputs + node - n
		}
		for i := range n {
			edges = append(edges, genotype.Edge{Op: p, From: first + i})
		}
	}
	return genotype.Genotype{Normal: l.space.Cell(edges), Reduce: l.space.Cell(append([]genotype.Edge(nil), edges...))}
}

// excess is the first bound that a genotype exceeds.
type excess struct {
	cost         int // of counts, or latencyCost
	flag         string
	limit, found string
}

func (e *excess) bound() string { return fmt.Sprintf("--%s: expected at most %s", e.flag, e.limit) }

// latencyCost stands behind the counts.
const latencyCost = 2

// counts are the parameters and the multiply-adds of the network of a genotype.
func (l *limiter) counts(g genotype.Genotype) (n [2]int64, err error) {
	net := l.net(g)
	params, err := lower.Params(net, false)
	if err == nil {
		n[0] = lower.Count(params)
		n[1], err = lower.MACs(net)
	}
	return n, err
}

func (l *limiter) net(g genotype.Genotype) lower.Evaluation {
	return lower.Evaluation{Macro: l.Net, Genotype: g}
}

// excess tells which bound a genotype exceeds; nil for none. The latency is measured when the counts are within theirs.
func (l *limiter) excess(g genotype.Genotype) (*excess, error) {
	if !l.any() {
		return nil, nil
	}
	n, err := l.counts(g)
	if err != nil {
		return nil, err
	}
	for i, bound := range []struct {
		flag  string
		limit int64
	}{{"max-params", l.Params}, {"max-macs", l.MACs}} {
		if bound.limit > 0 && n[i] > bound.limit {
			return &excess{i, bound.flag, fmt.Sprint(bound.limit), fmt.Sprint(n[i])}, nil
		}
	}
	if l.Latency == 0 {
		return nil, nil
	}
	ms, err := score.Latency(l.net(g), l.seed, l.runtime)
	if err != nil || ms <= l.Latency {
		return nil, err
	}
	return &excess{latencyCost, "max-latency", fmt.Sprintf("%v ms", l.Latency), fmt.Sprintf("%.3g ms", ms)}, nil
}

// mostDraws bounds the draws for a genotype within the bounds, mostMutations the tries of a child within them.
const (
	mostDraws     = 10_000
	mostMutations = 1000
)

// draw draws genotypes of the space until one is within the bounds.
func (l *limiter) draw(ctx context.Context, r genotype.Source) (genotype.Genotype, error) {
	var e *excess
	for range mostDraws {
		g := l.space.Random(r)
		var err error
		if e, err = l.excess(g); err != nil || e == nil {
			return g, err
		}
		if err := ctx.Err(); err != nil {
			return g, err
		}
	}
	return genotype.Genotype{}, fault.Inputf("%s, found no such cell in %d draws; the last has %s", e.bound(), mostDraws, e.found)
}

// mutate draws mutations of a genotype until one is within the bounds; it is the genotype itself if none is.
func (l *limiter) mutate(ctx context.Context, r genotype.Source, parent genotype.Genotype) (genotype.Genotype, error) {
	for range mostMutations {
		g := l.space.Mutate(r, parent)
		if e, err := l.excess(g); err != nil || e == nil {
			return g, err
		}
		if err := ctx.Err(); err != nil {
			return parent, err
		}
	}
	return parent, nil
}
