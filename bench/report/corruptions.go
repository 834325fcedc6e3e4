package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
)

// Corruptions is the accuracy under common corruptions (Hendrycks and Dietterich 2019).
type Corruptions struct {
	Source string       `json:"source"` // "generated", or "cifar10c" for the published files
	About  string       `json:"about"`  // what the images are, for people
	Points int          `json:"points"` // images at each corruption and severity
	Rows   []Corruption `json:"rows"`   // severities of one corruption together, from 1
	// MeanAccuracy is the plain mean accuracy over all rows, a fraction, RobustBench's corruptions_acc.
	MeanAccuracy float64 `json:"mean_accuracy"`
	// MCE is the mean error over all rows, a fraction, which papers on CIFAR-10-C report as mCE. It is not divided by the errors of a
	// reference model, unlike the mCE of ImageNet-C, which is relative to AlexNet.
	MCE float64 `json:"mce"`
}

// Corruption is the accuracy under one corruption at one severity.
type Corruption struct {
	Name     string `json:"name"`
	Severity int    `json:"severity"` // from 1
	Clean
}

// NewCorruptions is the result of rows, of which there is at least one, with their means.
func NewCorruptions(source, about string, points int, rows []Corruption) *Corruptions {
	c := &Corruptions{Source: source, About: about, Points: points, Rows: rows}
	for _, r := range rows {
		c.MeanAccuracy += r.Accuracy
		c.MCE += 1 - r.Accuracy
	}
	c.MeanAccuracy /= float64(len(rows))
	c.MCE /= float64(len(rows))
	return c
}

// Line is the accuracies of one corruption.
type Line struct {
	Name       string
	Accuracies []float64 // fractions by severity
	Mean       float64
}

// Lines has one line for each corruption, and a last one with the means.
func (c *Corruptions) Lines() []Line {
	var lines []Line
	for i, r := range c.Rows {
		if i == 0 || r.Name != c.Rows[i-1].Name {
			lines = append(lines, Line{Name: r.Name})
		}
		last := &lines[len(lines)-1]
		last.Accuracies = append(last.Accuracies, r.Accuracy)
	}
	mean := Line{Name: "mean", Mean: c.MeanAccuracy}
	for i := range lines {
		l := &lines[i]
		for k, a := range l.Accuracies {
			if k == len(mean.Accuracies) {
				mean.Accuracies = append(mean.Accuracies, 0)
			}
			mean.Accuracies[k] += a
			l.Mean += a
		}
		l.Mean /= float64(len(l.Accuracies))
	}
	for k := range mean.Accuracies {
		mean.Accuracies[k] /= float64(len(lines))
	}
	return append(lines, mean)
}

// CorruptionsCSV is the content of corruptions.csv: one line for each model and corruption with the accuracies (fractions) by severity and
// their mean. It is nil when no model has corruptions.
func (r *Result) CorruptionsCSV() ([]byte, error) {
	var lines [][]string
	for _, m := range r.Models {
		if m.Corruptions == nil {
			continue
		}
		for _, l := range m.Corruptions.Lines() {
			if lines == nil {
				lines = append(lines, []string{"path", "sha256", "source", "points", "corruption"})
				for k := range l.Accuracies {
					lines[0] = append(lines[0], "severity_"+strconv.Itoa(k+1))
				}
				lines[0] = append(lines[0], "mean")
			}
			line := []string{m.Label(), m.SHA256, m.Corruptions.Source, strconv.Itoa(m.Corruptions.Points), l.Name}
			for _, a := range append(slices.Clone(l.Accuracies), l.Mean) {
				line = append(line, number(a))
			}
			lines = append(lines, line)
		}
	}
	if lines == nil {
		return nil, nil
	}
	var b bytes.Buffer
	err := csv.NewWriter(&b).WriteAll(lines)
	return b.Bytes(), err
}

// corruptions writes a table of accuracies in percent for each model.
func (r *Result) corruptions(b *bytes.Buffer) {
	for _, m := range r.Models {
		c := m.Corruptions
		if c == nil {
			continue
		}
		fmt.Fprintf(b, "\nCommon corruptions of %d images by %s: accuracy in percent by severity. Images: %s. "+
			"Mean accuracy %.2f (as RobustBench), mean error %.2f (mCE as papers on CIFAR-10-C give it, not normalised).\n\n", c.Points, m.Label(), c.About, 100*c.MeanAccuracy, 100*c.MCE)
		for i, l := range c.Lines() {
			if i == 0 {
				head, rule := "| corruption |", "|---|"
				for k := range l.Accuracies {
					head, rule = head+fmt.Sprintf(" %d |", k+1), rule+"--:|"
				}
				fmt.Fprintf(b, "%s mean |\n%s--:|\n", head, rule)
			}
			fmt.Fprintf(b, "| %s |", l.Name)
			for _, a := range append(slices.Clone(l.Accuracies), l.Mean) {
				fmt.Fprintf(b, " %.1f |", 100*a)
			}
			b.WriteString("\n")
		}
	}
}
