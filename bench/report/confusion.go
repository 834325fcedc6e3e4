package report

import (
	"cmp"
	"slices"
)

// MaxConfusion is the largest number of classes for which results hold a Confusion.
const MaxConfusion = 100

// Confusion counts predictions by class. Rows are labels, columns are predictions. Points whose logits are not numbers are in no column.
type Confusion struct {
	Classes []string `json:"classes"`
	Clean   [][]int  `json:"clean"` // on the images as they are
	Worst   [][]int  `json:"worst"` // after the first attack that breaks the point, in the order of the attacks
}

// Matrix counts predictions by label: [classes][classes]. labels and predictions have one entry for each point. Predictions outside
// [0,classes) are left out.
func Matrix(classes int, labels []int32, predictions []int) [][]int {
	m := make([][]int, classes)
	for i := range m {
		m[i] = make([]int, classes)
	}
	for i, label := range labels {
		if p := predictions[i]; p >= 0 && p < classes {
			m[label][p]++
		}
	}
	return m
}

// Confused is an entry of a confusion matrix off the diagonal.
type Confused struct {
	Label, Prediction string
	Count             int
}

// Mistakes lists the entries of a matrix off the diagonal that are not zero, the most frequent first, at most n of them.
func Mistakes(classes []string, matrix [][]int, n int) []Confused {
	var all []Confused
	for i, row := range matrix {
		for j, count := range row {
			if i != j && count > 0 {
				all = append(all, Confused{classes[i], classes[j], count})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Confused) int { return cmp.Compare(b.Count, a.Count) })
	return all[:min(n, len(all))]
}
