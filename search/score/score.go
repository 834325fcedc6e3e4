// Package score ranks architectures without training them, or after little training: every score is a row over graphs that the
// compiler makes and ONNX Runtime runs.
package score

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// row is a score. Exactly one of of, after and ranks is set.
type row struct {
	name  string
	about string // with its source
	of    func(s *subject) (float64, error)
	// after is a score that takes a number of CPU seconds, as in NAME:60.
	after func(s *subject, seconds float64) (float64, error)
	// ranks are groups of scores. The ranks of a group, each in ascending order among the genotypes that are scored together, are added up.
	// Of several groups the score is the least of the ranks of these sums.
	ranks [][]string
	cost  bool // of two genotypes that differ in nothing else the one with less is better
}

// rows are in the order of the documentation. What a score is made of is taken once for all scores of a genotype.
var rows = []row{
	{name: "params", about: "number of trained parameters", cost: true, of: params},
	{name: "macs", about: "multiply-adds of one image", cost: true, of: macs},
	{name: "latency", about: "median time of one image in milliseconds, measured; genotypes are then scored one at a time", cost: true, of: latency},
	{name: "naswot", about: "log determinant of the kernel of equal Relu codes (Mellor et al. 2021)", of: naswot},
	{name: "jacov", about: "correlation of the input Jacobians of images (Mellor et al. 2020, version 1; Abdelfattah et al. 2021)", of: jacov},
	{name: "synflow", about: "sum of |w dS/dw| at |w| without normalisation on an image of ones, S the sum of logits (Tanaka et al. 2020)", of: synflow},
	{name: "snip", about: "sum of |w dL/dw|, L the cross-entropy (Lee et al. 2019)", of: snip},
	{name: "grad-norm", about: "sum over layers of the norm of dL/dw (Abdelfattah et al. 2021)", of: gradNorm},
	{name: "swap", about: "number of distinct sample-wise activation patterns (Peng et al. 2024)", of: swap},
	{name: "croze", about: "agreement of features, weights and gradients with a network after a harmful step (Ha et al. 2023)", of: croze},
	{name: "noise-kl", about: "KL(f || f') between clean images and images with uniform noise", of: noiseKL},
	{name: "fgsm-kl", about: "KL(f || f') between clean images and images after one signed-gradient step", of: fgsmKL},
	{name: "input-gradient", about: "mean norm of the input gradient of the cross-entropy", of: inputGradient},
	{name: "short", about: "accuracy under PGD on held-out images after adversarial training of so many CPU seconds, as in short:60", after: short},
	{name: "combined", about: "sum of the ranks of params, naswot, jacov and input-gradient", ranks: [][]string{{"params", "naswot", "jacov", "input-gradient"}}},
	{name: "weakest", about: "least of the ranks of params, naswot, jacov and input-gradient", ranks: [][]string{{"params"}, {"naswot"}, {"jacov"}, {"input-gradient"}}},
	{name: "balanced", about: "lesser of two ranks: of params, and of the sum of the ranks of naswot, jacov and input-gradient", ranks: [][]string{{"params"}, {"naswot", "jacov", "input-gradient"}}},
}

// Usage tells what every score is, a line each.
func Usage() string {
	var lines []string
	for _, r := range rows {
		lines = append(lines, r.name+": "+r.about)
	}
	return strings.Join(lines, "\n")
}

// Names lists the scores in the order of the documentation; one that takes seconds stands as NAME:SECONDS.
func Names() []string {
	var names []string
	for _, r := range rows {
		name := r.name
		if r.after != nil {
			name += ":SECONDS"
		}
		names = append(names, name)
	}
	return names
}

// column is a score that is asked for.
type column struct {
	name string // as given
	row
	seconds float64
}

// parse finds the score that a name such as naswot or short:60 asks for.
func parse(name string) (column, error) {
	head, argument, given := strings.Cut(name, ":")
	i := slices.IndexFunc(rows, func(r row) bool { return r.name == head })
	if i < 0 || given != (rows[i].after != nil) {
		return column{}, fmt.Errorf("expected a score among %s, found %q", strings.Join(Names(), ", "), name)
	}
	c := column{name: name, row: rows[i]}
	if !given {
		return c, nil
	}
	const most = 1e6
	seconds, err := strconv.ParseFloat(argument, 64)
	if err != nil || !(seconds > 0 && seconds <= most) {
		return c, fmt.Errorf("%s: expected CPU seconds above 0 and at most %v, found %q", head, most, argument)
	}
	c.seconds = seconds
	return c, nil
}

// Cost reports whether a score is a cost, of which less is better.
func Cost(name string) bool {
	c, err := parse(name)
	return err == nil && c.cost
}

// Columns are the scores that a list of names asks for, those included whose ranks others are made of.
func Columns(names []string) ([]string, error) {
	columns, err := parseAll(names)
	var all []string
	for _, c := range columns {
		all = append(all, c.name)
	}
	return all, err
}

// parseAll finds the scores of a list, and adds those whose ranks others are made of. Those without ranks come first.
func parseAll(names []string) ([]column, error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("expected a score among %s, found none", strings.Join(Names(), ", "))
	}
	var own, sums []column
	add := func(list *[]column, c column) {
		if !slices.ContainsFunc(*list, func(o column) bool { return o.name == c.name }) {
			*list = append(*list, c)
		}
	}
	for _, name := range names {
		c, err := parse(name)
		if err != nil {
			return nil, err
		}
		if c.ranks == nil {
			add(&own, c)
			continue
		}
		add(&sums, c)
	}
	for _, s := range sums {
		for _, name := range slices.Concat(s.ranks...) {
			c, err := parse(name)
			if err != nil {
				return nil, err
			}
			add(&own, c)
		}
	}
	return append(own, sums...), nil
}
