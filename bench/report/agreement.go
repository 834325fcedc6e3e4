package report

import (
	"bytes"
	"fmt"
)

// Agreement compares plain inference of a model by two providers.
type Agreement struct {
	Path    string  `json:"path"`
	First   string  `json:"first"` // providers
	Second  string  `json:"second"`
	Points  int     `json:"points"`             // compared: the first ones of the data
	Largest float64 `json:"largest_difference"` // of two logits
	Logit   float64 `json:"largest_logit"`      // of the first provider, by size
	Differ  int     `json:"predictions_differ"` // points
}

// String is the comparison in a line.
func (a Agreement) String() string {
	return fmt.Sprintf("%s: %s and %s: logits differ by at most %.2g (the largest is %.3g), predictions at %d of %d images",
		a.Path, a.First, a.Second, a.Largest, a.Logit, a.Differ, a.Points)
}

func (r *Result) agreements(b *bytes.Buffer) {
	header := "\nProviders:\n\n"
	for _, a := range r.Agreements {
		fmt.Fprintf(b, "%s- %s\n", header, a)
		header = ""
	}
}

// Label is the path of the model, with the provider where there are several.
func (m *Model) Label() string {
	if m.Provider == "" {
		return m.Path
	}
	return m.Path + " (" + m.Provider + ")"
}
