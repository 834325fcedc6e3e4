package main

import (
	"encoding/json"
	"path/filepath"
	"strconv"
	"testing"

	"rnas/train"
)

// What rnas inspect shows of a model, a gradient graph, an attack and an adapted model has the keys of train.Metadata in their forms, and each
// of them is on one of them.
func TestMetadata(t *testing.T) {
	model, dir := exported(t), t.TempDir()
	gradient, attack := filepath.Join(dir, "g.onnx"), filepath.Join(dir, "a.onnx")
	succeed(t, "grad", model, "--out", gradient)
	succeed(t, "attack", model, "--kind", "fgsm", "--out", attack)
	adapted := filepath.Join(dir, "p.onnx")
	succeed(t, "adapt", model, "--pixels", "0..255", "--out", adapted)
	shown := map[string]bool{}
	for _, path := range []string{model, gradient, attack, adapted} {
		out, _ := succeed(t, "inspect", path, "--json")
		var m struct{ Metadata map[string]string }
		if err := json.Unmarshal([]byte(out), &m); err != nil {
			t.Fatal(err)
		}
		known := 0
		for _, k := range train.Metadata {
			value, ok := m.Metadata[k.Key]
			if !ok {
				continue
			}
			known++
			shown[k.Key] = true
			if !inForm(k.Form, value) {
				t.Errorf("%s: %s is no %s: %s", path, k.Key, k.Form, value)
			}
		}
		if known != len(m.Metadata) {
			t.Errorf("%s: %d of the keys of %v have a row", path, known, m.Metadata)
		}
	}
	for _, k := range train.Metadata {
		if !shown[k.Key] {
			t.Errorf("no file has %s", k.Key)
		}
	}
}

// inForm reports whether value is written in form.
func inForm(form train.Form, value string) bool {
	var into any
	switch form {
	case train.Text:
		return value != ""
	case train.Number:
		_, err := strconv.ParseFloat(value, 64)
		return err == nil
	case train.List:
		into = &[]any{}
	case train.Object:
		into = &map[string]any{}
	default:
		return false
	}
	return json.Unmarshal([]byte(value), into) == nil
}
