package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"rnas/runtime/ort/orttest"
)

// An adapted model needs no more flags: it is read as it is, and ONNX Runtime computes of it what the interpreter does. The flags give every
// command the same model.
func TestAdapt(t *testing.T) {
	orttest.Open(t)
	model := filepath.Join("..", "..", "bench", "adapt", "testdata", "imagenet.onnx")
	flags := []string{"--pixels", "0..255", "--bgr", "--mean", "103.5,116.3,123.7", "--std", "57", "--shape", "3x16x16"}
	dir := t.TempDir()
	out := filepath.Join(dir, "adapted.onnx")
	text, told := succeed(t, append([]string{"adapt", model, "--out", out, "--json"}, flags...)...)
	var s adaptSummary
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Adapter) != 4 || s.Batch != 0 || s.Classes != 5 || !strings.Contains(told, "blue first; pixels times 255; less the mean 103.5,116.3,123.7; divided by the standard deviation 57") {
		t.Errorf("found %+v, %s", s, told)
	}
	text, _ = succeed(t, "inspect", out)
	if strings.Contains(text, "\nadapted ") || !strings.Contains(text, "read as         input float32[N,3,16,16], logits float32[N,5]") {
		t.Errorf("found %s", text)
	}
	succeed(t, "verify", out, "--tol", "1e-4")
	succeed(t, append([]string{"verify", model, "--against", out, "--tol", "1e-4"}, flags...)...)
	for _, c := range []string{"attack", "grad"} {
		_, told := succeed(t, append([]string{c, model, "--out", filepath.Join(dir, c+".onnx")}, flags...)...)
		if !strings.Contains(told, "pixels times 255") {
			t.Errorf("%s: found %s", c, told)
		}
	}
	text, _ = succeed(t, append([]string{"inspect", model}, flags...)...)
	if !strings.Contains(text, "adapted         pixels times 255") {
		t.Errorf("found %s", text)
	}
	data := "synthetic:classes=5,size=16,train=5,test=10"
	text, _ = succeed(t, append([]string{"bench", model, "--data", data, "--attacks", "fgsm"}, flags...)...)
	plain, _ := succeed(t, "bench", out, "--data", data, "--attacks", "fgsm")
	if a, b := strings.Fields(text), strings.Fields(plain); strings.Join(a[5:10], " ") != strings.Join(b[5:10], " ") {
		t.Errorf("expected equal figures, found\n%s%s", text, plain)
	}
	if status, _, err := rnas(t, "adapt", model, "--out", out, "--pixels", "0-255"); status != statusUsage || !strings.Contains(err, "--pixels: expected 0..1, 0..255 or -1..1") {
		t.Errorf("status %d, found %s", status, err)
	}
}
