package main

import (
	"fmt"
	"io"

	"rnas/bench/attack"
	"rnas/bench/report"
	"rnas/internal/fault"
)

// transferAttack reads --transfer, one attack; nil if the flag is not given.
func transferAttack(name string) (*attack.Attack, error) {
	if name == "" {
		return nil, nil
	}
	list, err := attack.Parse(name)
	if err == nil && len(list) != 1 {
		err = fmt.Errorf("expected one attack, found %q", name)
	}
	if err != nil {
		return nil, fault.Inputf("--transfer: %w", err)
	}
	return &list[0], nil
}

// printTransfer prints accuracies in percent: one line for each model that the images were made on, one column for each model that they were
// shown to.
func printTransfer(w io.Writer, r *report.Result) error {
	if r.Transfer == nil {
		return nil
	}
	fmt.Fprintf(w, "\nimages of %s made on the model of the line, scored on that of the column\n", r.Transfer.Attack)
	var names []string
	for i := range r.Models {
		names = append(names, fmt.Sprint(i+1))
	}
	t := newNumbers(w)
	for i, line := range r.Transfer.Table(names) {
		var row []any
		for _, text := range line[1:] {
			row = append(row, text)
		}
		name := "  model"
		if i > 0 {
			name = fmt.Sprintf("  %d %s", i, r.Transfer.Models[i-1])
		}
		t.row(append(row, name)...)
	}
	return t.flush()
}
