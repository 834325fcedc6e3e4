// Package imports holds the policy of who may import whom.
package imports

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// room is a folder of packages and the rooms that its packages may import, besides their own. A package belongs to the room with the
// longest folder that holds it.
type room struct {
	folder string
	may    []string
}

// rooms stand from the bottom up: a room may name only rooms above it in this table, which is why no import runs upward.
var rooms = []room{
	{"internal", nil},
	{"genotype", nil},
	{"compiler/ir", []string{"internal"}},
	{"compiler/op", []string{"internal", "compiler/ir"}},
	{"compiler/grad", []string{"internal", "compiler/ir", "compiler/op"}},
	{"compiler/interp", []string{"internal", "compiler/ir", "compiler/op"}},
	{"compiler/graphtest", []string{"internal", "compiler/ir", "compiler/op", "compiler/grad", "compiler/interp"}},
	{"compiler/pass", []string{"internal", "compiler/ir", "compiler/op", "compiler/interp", "compiler/graphtest"}},
	{"compiler/cpu", []string{"internal", "compiler/ir", "compiler/op", "compiler/pass"}},
	{"compiler/lower", []string{"internal", "genotype", "compiler/ir", "compiler/op"}},
	{"compiler/program", []string{"internal", "genotype", "compiler/ir", "compiler/op", "compiler/grad", "compiler/pass", "compiler/lower"}},
	{"export/checkpoint", []string{"internal"}},
	{"export", append(compiler, "internal")},
	{"runtime/ort", []string{"internal"}},
	{"runtime", append(compiler, "internal", "compiler/cpu", "export", "runtime/ort")},
	{"train", append(compiler, "internal", "genotype", "export", "export/checkpoint", "runtime", "runtime/ort")},
	{"search", append(compiler, "internal", "genotype", "export", "runtime", "runtime/ort", "train")},
	{"bench", append(compiler, "internal", "genotype", "export", "runtime", "runtime/ort", "train")},
	{"page", append(compiler, "internal", "genotype", "train", "search", "bench")},
	{"study", []string{"internal", "genotype", "train", "search", "bench"}},
	{"cmd", append(compiler, "internal", "genotype", "compiler/cpu", "export", "export/checkpoint", "runtime", "runtime/ort", "train", "search", "bench", "page", "study")},
	{"tools", append(compiler, "internal", "genotype", "export", "export/checkpoint", "runtime", "runtime/ort", "train", "search", "bench")},
	{"examples", nil},
}

// compiler is what the rooms above the compiler use of it; compiler/cpu is for runtime alone, and for cmd to show it.
var compiler = []string{"compiler/ir", "compiler/op", "compiler/grad", "compiler/interp", "compiler/pass", "compiler/lower", "compiler/program"}

// owners names the only packages that may import a third-party module.
var owners = map[string][]string{
	"github.com/yalue/onnxruntime_go": {"runtime/ort"},
	"github.com/owulveryck/onnx-go":   {"export"},
	"github.com/spf13/pflag":          {"cmd/rnas"},
	"google.golang.org/protobuf":      {"export", "runtime/ort"},
	"github.com/goccy/go-yaml":        {"study"},
	"github.com/gofrs/flock":          {"internal/folderlock"},
	"gonum.org/v1/gonum/mat":          {"search/score"},
	"golang.org/x/image":              {"internal/picture"},
}

// roomOf is the row of rooms that a package of the module, without its prefix, belongs to; -1 for none.
func roomOf(pkg string) int {
	best := -1
	for i, r := range rooms {
		if (pkg == r.folder || strings.HasPrefix(pkg, r.folder+"/")) && (best < 0 || len(r.folder) > len(rooms[best].folder)) {
			best = i
		}
	}
	return best
}

// list runs go list and splits every line of its output.
func list(t *testing.T, args ...string) [][]string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var lines [][]string
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		lines = append(lines, strings.Fields(line))
	}
	return lines
}

func TestRoomsStandBottomUp(t *testing.T) {
	for i, r := range rooms {
		for _, folder := range r.may {
			if k := slices.IndexFunc(rooms, func(q room) bool { return q.folder == folder }); k < 0 || k >= i {
				t.Errorf("%s may import %s, which does not stand above it in the table", r.folder, folder)
			}
		}
	}
}

func TestImportDirection(t *testing.T) {
	seen := map[int]bool{}
	for _, fields := range list(t, "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "rnas/...") {
		pkg := strings.TrimPrefix(fields[0], "rnas/")
		from := roomOf(pkg)
		if from < 0 {
			t.Errorf("%s is in no room", pkg)
			continue
		}
		seen[from] = true
		for _, imp := range fields[1:] {
			if path, ours := strings.CutPrefix(imp, "rnas/"); ours {
				if to := roomOf(path); to != from && !slices.Contains(rooms[from].may, rooms[to].folder) {
					t.Errorf("%s imports %s: the room %s may import %v", pkg, path, rooms[from].folder, rooms[from].may)
				}
			}
			for module, allowed := range owners {
				if strings.HasPrefix(imp, module) && !slices.Contains(allowed, pkg) {
					t.Errorf("%s imports %s, which belongs to %v", pkg, imp, allowed)
				}
			}
		}
	}
	for i, r := range rooms {
		if !seen[i] {
			t.Errorf("%s has no package", r.folder)
		}
	}
}

// What these packages reach, directly or not, is no part of the compiler.
func TestNoCompilerBelow(t *testing.T) {
	for _, pkg := range []string{"runtime/ort", "export/checkpoint"} {
		for _, dep := range list(t, "-deps", "rnas/"+pkg) {
			if strings.HasPrefix(dep[0], "rnas/compiler") {
				t.Errorf("%s reaches %s", pkg, dep[0])
			}
		}
	}
}
