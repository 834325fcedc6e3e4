package main

import (
	"github.com/spf13/pflag"

	"rnas/internal/fault"
	"rnas/search"
)

// defineEvolution adds the flags of the method evolution, which others leave alone.
func (s *searchFlags) defineEvolution(f *pflag.FlagSet) {
	s.evolution = search.DefaultEvolution()
	e := &s.evolution
	f.StringVar(&s.score, "score", e.Objectives[0], "evolution: score that is raised, or lowered if it is a cost; see rnas help rank")
	e.Objectives = nil
	f.StringSliceVar(&e.Objectives, "objectives", nil, "evolution: several scores, separated by commas, such as combined,params, of which a Pareto front is kept")
	f.IntVar(&e.Population, "population", e.Population, "evolution: youngest genotypes, which can be parents")
	f.IntVar(&e.Tournament, "tournament", e.Tournament, "evolution: genotypes drawn out of them, the best of which is the parent")
	f.IntVar(&e.Evaluations, "evaluations", e.Evaluations, "evolution: genotypes to be scored")
	f.IntVar(&e.Repeats, "repeats", 1, "evolution: draws of weights, images and noise over which scores are averaged")
}

// completeEvolution gives a configuration the settings of evolution, which other methods do not have.
func (s *searchFlags) completeEvolution(c *search.Config) error {
	if c.Method != "evolution" {
		return nil
	}
	e := s.evolution
	switch {
	case given(s.flags, "score") && given(s.flags, "objectives"):
		return fault.Inputf("--score, --objectives: expected one of them, found both")
	case e.Repeats < 1:
		return fault.Inputf("--repeats: expected at least 1, found %d", e.Repeats)
	case len(e.Objectives) == 0:
		e.Objectives = []string{s.score}
	}
	if e.Repeats == 1 {
		e.Repeats = 0
	}
	c.Evolution = e
	return nil
}

// defineBounds adds the flags of the bounds.
func (s *searchFlags) defineBounds(f *pflag.FlagSet) {
	b := &s.bounds
	f.Int64Var(&b.Params, "max-params", 0, "most parameters of the network to be trained, 0 for any number")
	f.Int64Var(&b.MACs, "max-macs", 0, "most multiply-adds of one image in it, likewise")
	f.Float64Var(&b.Latency, "max-latency", 0, "most milliseconds of one image in it, measured, likewise")
	f.IntVar(&b.Net.Channels, "train-channels", 0, "channels of the network to be trained, 0 for as many as published: 36, or 16 of nas-bench-201")
	f.IntVar(&b.Net.Layers, "train-layers", 0, "cells of it, 0 for as many as published: 20, or 15 of nas-bench-201")
}

// completeBounds gives a configuration its bounds, if there are any, for a network on the images of the search.
func (s *searchFlags) completeBounds(c *search.Config) {
	b := s.bounds
	if b.Params == 0 && b.MACs == 0 && b.Latency == 0 {
		return
	}
	net := c.Super.Macro
	net.Channels, net.Layers = b.Net.Channels, b.Net.Layers
	channels, layers := c.Super.Form.Size()
	if net.Channels == 0 {
		net.Channels = channels
	}
	if net.Layers == 0 {
		net.Layers = layers
	}
	b.Net = net
	c.Bounds = b
}
