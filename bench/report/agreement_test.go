package report

import (
	"slices"
	"strings"
	"testing"
)

// TestProviderNames checks that a model which was measured on two providers can be told apart everywhere.
func TestProviderNames(t *testing.T) {
	r := &Result{Provider: "cpu,cuda", Agreements: []Agreement{{"a/m.onnx", "cpu", "cuda", 64, 1.5e-6, 12, 1}}}
	for _, provider := range []string{"cpu", "cuda"} {
		for _, path := range []string{"a/m.onnx", "b/m.onnx", "n.onnx"} {
			r.Models = append(r.Models, Model{Path: path, Provider: provider, Latency: &Latency{Runs: []LatencyRuns{{Batch: 1}}}})
		}
	}
	if got, want := r.names(), []string{"a/m.onnx (cpu)", "b/m.onnx (cpu)", "n.onnx (cpu)", "a/m.onnx (cuda)", "b/m.onnx (cuda)", "n.onnx (cuda)"}; !slices.Equal(got, want) {
		t.Errorf("expected %q, found %q", want, got)
	}
	line := "a/m.onnx: cpu and cuda: logits differ by at most 1.5e-06 (the largest is 12), predictions at 1 of 64 images"
	for name, encode := range map[string]func() ([]byte, error){"md": r.Markdown, "html": func() ([]byte, error) { return r.HTML(nil) }} {
		text, err := encode()
		if err != nil || !strings.Contains(string(text), line) || !strings.Contains(string(text), "n.onnx (cuda)") {
			t.Errorf("%s: %v, found\n%s", name, err, text)
		}
	}
	table, err := r.CSV()
	if err != nil || !strings.Contains(string(table), "\nn.onnx,,,cuda,") || strings.Contains(string(table), "cpu,cuda") {
		t.Errorf("%v, found\n%s", err, table)
	}
}
