// Package imports holds the policy of who may import whom.
package imports

import (
	"bufio"
	"os/exec"
	"strings"
	"testing"
)

// layers lists the packages of the module from the bottom up; a package may import those of lower layers only. Packages
// in one layer do not import each other.
var layers = [][]string{
	{"internal/tensor", "internal/rng", "internal/atomicfile", "internal/units", "internal/fault", "internal/pickle", "internal/pythontest", "genotype"},
	{"internal/dataset", "internal/npy", "compiler/ir", "export/checkpoint"},
	{"compiler/op"},
	{"compiler/grad", "internal/interp"},
	{"compiler/graphtest"},
	{"compiler/pass"},
	{"compiler/pass/passtest", "compiler/cpu", "compiler/lower"},
	{"compiler/program"},
	{"export"},
	{"runtime/ort"},
	{"runtime", "runtime/ort/orttest", "internal/conformance"},
	{"train/loop", "internal/calibrate"},
	{"train", "bench/attack", "bench/corruption", "bench/report"},
	{"search", "bench", "internal/inspect"},
	{"cmd/rnas", "tools/compare/ours", "tools/defences", "examples"},
}

// owners names the only packages that may import a third-party module.
var owners = map[string][]string{
	"github.com/yalue/onnxruntime_go": {"runtime/ort"},
	"github.com/owulveryck/onnx-go":   {"export"},
	"github.com/spf13/pflag":          {"cmd/rnas"},
	"google.golang.org/protobuf":      {"export", "runtime/ort"},
}

func TestImportDirection(t *testing.T) {
	level := map[string]int{}
	for i, layer := range layers {
		for _, p := range layer {
			level["rnas/"+p] = i
		}
	}
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "rnas/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for scan := bufio.NewScanner(strings.NewReader(string(out))); scan.Scan(); {
		fields := strings.Fields(scan.Text())
		pkg := fields[0]
		from, ok := level[pkg]
		if !ok {
			if pkg != "rnas/internal/imports" {
				t.Errorf("%s has no place in the layers", pkg)
			}
			continue
		}
		seen++
		for _, imp := range fields[1:] {
			if to, ok := level[imp]; ok && to >= from {
				t.Errorf("%s (layer %d) imports %s (layer %d)", pkg, from, imp, to)
			}
			for module, allowed := range owners {
				if !strings.HasPrefix(imp, module) {
					continue
				}
				found := false
				for _, a := range allowed {
					found = found || pkg == "rnas/"+a
				}
				if !found {
					t.Errorf("%s imports %s, which belongs to %v", pkg, module, allowed)
				}
			}
		}
	}
	if seen != len(level) {
		t.Errorf("%d of %d listed packages exist", seen, len(level))
	}
}
