// Package conformance runs the test cases that the ONNX project publishes inside its Python package: each is a model
// of a few nodes with inputs and the outputs expected for them. A case passes through reader, shape inference and
// interpreter, and its gradient is compared with finite differences.
package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"rnas/export"
	"rnas/internal/tensor"
)

// Version is the version of the Python package onnx whose cases are run.
const Version = "1.22.0"

// Collections are the folders of cases that hold their own models and data.
var Collections = []string{"node", "pytorch-converted", "pytorch-operator", "simple"}

// Case is one published test case.
type Case struct {
	Collection string
	Name       string // of its folder, without "test_"
	dir        string
}

// Locate finds the folder of the cases: in the cache of the project at root, or else in the installed Python package
// onnx, whose version must be Version.
func Locate(root string) (string, error) {
	const inside = "onnx/backend/test/data"
	cached, err := filepath.Glob(filepath.Join(root, ".cache", "onnx-"+Version, "lib", "python*", "site-packages", inside))
	if err != nil {
		return "", err
	}
	if len(cached) > 0 {
		return cached[0], nil
	}
	const script = "import onnx, os; print(onnx.__version__, os.path.dirname(os.path.dirname(onnx.__file__)))"
	out, err := exec.Command("python3", "-c", script).Output()
	if err != nil {
		return "", fmt.Errorf("python3 with the package onnx %s is needed: %w", Version, err)
	}
	version, dir, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if version != Version {
		return "", fmt.Errorf("the Python package onnx has version %s, expected %s", version, Version)
	}
	return filepath.Join(dir, inside), nil
}

// List finds all cases below a folder, in order of collection and name.
func List(data string) ([]Case, error) {
	var cases []Case
	for _, collection := range Collections {
		entries, err := os.ReadDir(filepath.Join(data, collection))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			name := strings.TrimPrefix(e.Name(), "test_")
			cases = append(cases, Case{collection, name, filepath.Join(data, collection, e.Name())})
		}
	}
	return cases, nil
}

// String is "collection/name".
func (c Case) String() string { return c.Collection + "/" + c.Name }

// Base is the name of the case without the suffix "_expanded...", which marks a model that has the function body of an
// operator in place of the operator.
func (c Case) Base() string {
	base, _, _ := strings.Cut(c.Name, "_expanded")
	return base
}

func (c Case) model() ([]byte, error) { return os.ReadFile(filepath.Join(c.dir, "model.onnx")) }

// tensors reads the files input_0.pb, input_1.pb, ... or output_0.pb, ...
func (c Case) tensors(kind string) ([]*tensor.Tensor, error) {
	var out []*tensor.Tensor
	for i := 0; ; i++ {
		data, err := os.ReadFile(filepath.Join(c.dir, "test_data_set_0", fmt.Sprintf("%s_%d.pb", kind, i)))
		if os.IsNotExist(err) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		t, err := export.ReadTensor(data)
		if err != nil {
			return nil, fmt.Errorf("%s %d: %w", kind, i, err)
		}
		out = append(out, t)
	}
}
