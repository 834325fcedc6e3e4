package main

import (
	"fmt"
	"io"
	"slices"

	"rnas/bench/corruption"
	"rnas/bench/report"
	"rnas/internal/fault"
)

// corruptionSource reads --corruptions; nil if the flag is not given. limit is --limit of the data.
func corruptionSource(text string, limit int) (*corruption.Source, error) {
	if text == "" {
		return nil, nil
	}
	s, err := corruption.ParseSource(text)
	if err != nil {
		return nil, fault.Inputf("--corruptions: %w", err)
	}
	s.Limit = limit
	return &s, nil
}

// printCorruptions prints accuracies in percent, one line for each corruption and one column for each severity.
func printCorruptions(w io.Writer, r *report.Result) error {
	for _, m := range r.Models {
		c := m.Corruptions
		if c == nil {
			continue
		}
		fmt.Fprintf(w, "\n%s, common corruptions of %d images, %s: mean accuracy %s, mCE %s (not normalised)\n",
			m.Label(), c.Points, c.About, percent(c.MeanAccuracy), percent(c.MCE))
		t := newNumbers(w)
		for i, l := range c.Lines() {
			if i == 0 {
				var header []any
				for k := range l.Accuracies {
					header = append(header, k+1)
				}
				t.row(append(header, "mean", "  corruption")...)
			}
			var row []any
			for _, a := range append(slices.Clone(l.Accuracies), l.Mean) {
				row = append(row, percent(a))
			}
			t.row(append(row, "  "+l.Name)...)
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	return nil
}
