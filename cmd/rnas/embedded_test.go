package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rnas/internal/dataset"
)

// Only a model whose metadata has the digest of the embedded training images is measured on them unasked.
func TestTrainedOnEmbedded(t *testing.T) {
	s, err := dataset.Open(context.Background(), "synthetic", dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, key, value string) string {
		path := filepath.Join(t.TempDir(), name)
		entry := "\x0a" + string(rune(len(key))) + key + "\x12" + string(rune(len(value))) + value // an entry of ONNX's metadata_props, field 14
		if err := os.WriteFile(path, []byte("\x72"+string(rune(len(entry)))+entry), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	own := write("own.onnx", "training", `{"train_digest":"`+s.Train.Digest()+`"}`)
	if err := trainedOnEmbedded(context.Background(), []string{own, own}); err != nil {
		t.Error(err)
	}
	for _, other := range []string{
		write("other.onnx", "training", `{"train_digest":"`+strings.Repeat("0", 64)+`"}`),
		write("none.onnx", "producer", "someone"), write("text.onnx", "training", "on ImageNet"),
	} {
		if err := trainedOnEmbedded(context.Background(), []string{own, other}); err == nil || !strings.Contains(err.Error(), "--data: expected images of the classes that "+other) {
			t.Errorf("%s: error %v", other, err)
		}
	}
}
