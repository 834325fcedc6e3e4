package report

import (
	"bytes"
	"fmt"
)

// Agreement compares plain inference of a model by two providers.
type Agreement struct {
	Path    string  `json:"path"`
	First   string  `json:"first"`              // name of a provider
	Second  string  `json:"second"`             // name of another provider
	Points  int     `json:"points"`             // number of points compared, the first ones of the data
	Largest float64 `json:"largest_difference"` // largest difference of two logits
	Logit   float64 `json:"largest_logit"`      // largest magnitude of a logit by the first provider
	Differ  int     `json:"predictions_differ"` // number of points whose predictions differ
}

// String is the comparison in one line.
func (a Agreement) String() string {
	return fmt.Sprintf("%s: %s and %s: logits differ by at most %.2g (the largest is %.3g), predictions at %d of %d images",
		a.Path, a.First, a.Second, a.Largest, a.Logit, a.Differ, a.Points)
}

// agreements writes a list of the comparisons.
func (r *Result) agreements(b *bytes.Buffer) {
	header := "\nProviders:\n\n"
	for _, a := range r.Agreements {
		fmt.Fprintf(b, "%s- %s\n", header, a)
		header = ""
	}
}

// Label is the path of the model, with the provider where the benchmark ran on several.
func (m *Model) Label() string {
	if m.Provider == "" {
		return m.Path
	}
	return m.Path + " (" + m.Provider + ")"
}
