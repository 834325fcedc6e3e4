package report

import (
	"bytes"
	"fmt"
)

// Transfer is the accuracy of models on adversarial images that were made on other models.
type Transfer struct {
	Attack string   `json:"attack"`
	Norm   string   `json:"norm"`
	Eps    float64  `json:"eps"`
	Models []string `json:"models"` // paths
	// Robust has a row for each model that the images were made on, with an entry for each model that they were shown to: the points
	// that the latter classifies rightly both as they are and under attack.
	Robust [][]Robust `json:"robust"`
}

// Intervals is Table with the Wilson interval of each entry.
func (t *Transfer) Intervals(names []string) [][]string {
	table := t.Table(names)
	for i, row := range t.Robust {
		for k, r := range row {
			table[i+1][k+1] += fmt.Sprintf(" (%.1f to %.1f)", 100*r.CI95[0], 100*r.CI95[1])
		}
	}
	return table
}

// Table is the matrix in percent with a first row and a first column of names. names has at least one entry for each of Models.
func (t *Transfer) Table(names []string) [][]string {
	names = names[:len(t.Models)]
	table := [][]string{append([]string{"made on"}, names...)}
	for i, row := range t.Robust {
		line := []string{names[i]}
		for _, r := range row {
			line = append(line, fmt.Sprintf("%.2f", 100*r.RobustAccuracy))
		}
		table = append(table, line)
	}
	return table
}

// transfer writes the table with intervals, if there was a transfer.
func (r *Result) transfer(b *bytes.Buffer) {
	if r.Transfer == nil {
		return
	}
	fmt.Fprintf(b, "\nTransfer: accuracy in percent of each model (columns) on the images that %s makes on another one (rows), with its 95%% Wilson interval:\n\n", r.Transfer.Attack)
	for i, line := range r.Transfer.Intervals(r.names()) {
		for k, text := range line {
			if k > 0 {
				b.WriteString(" | ")
			} else {
				b.WriteString("| ")
			}
			b.WriteString(cell(text))
		}
		b.WriteString(" |\n")
		if i == 0 {
			b.WriteString("|---")
			for range line[1:] {
				b.WriteString("|--:")
			}
			b.WriteString("|\n")
		}
	}
}
