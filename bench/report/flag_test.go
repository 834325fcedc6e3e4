package report

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// kinds are the constants of type FlagKind by their names in the source.
func kinds(t *testing.T) map[string]FlagKind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "flag.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]FlagKind{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); ok && of.Name == "FlagKind" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			found[spec.Names[0].Name] = FlagKind(text)
		}
		return true
	})
	return found
}

// raised are the names report.Flag... that the code of package bench uses, without its tests.
func raised(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if use, ok := n.(*ast.SelectorExpr); ok {
				if of, ok := use.X.(*ast.Ident); ok && of.Name == "report" {
					names[use.Sel.Name] = true
				}
			}
			return true
		})
	}
	return names
}

// TestExplanations checks that every kind of flag is raised by package bench and explained once, and that nothing else is explained.
func TestExplanations(t *testing.T) {
	explained := map[FlagKind]int{}
	for _, e := range explanations {
		explained[e.kind]++
		if e.meaning == "" || e.next == "" || explained[e.kind] > 1 {
			t.Errorf("%q: expected one row with a meaning and what to run next, found %+v", e.kind, e)
		}
	}
	kinds, raised := kinds(t), raised(t)
	if len(kinds) == 0 || len(explanations) != len(kinds) {
		t.Errorf("%d kinds of flags and %d explanations", len(kinds), len(explanations))
	}
	for name, kind := range kinds {
		if explained[kind] == 0 {
			t.Errorf("%s is not explained", name)
		}
		if !raised[name] {
			t.Errorf("%s is not raised", name)
		}
	}
	if meaning, next := FlagKind("unheard of").Explain(); meaning != "" || next != "" {
		t.Errorf("found %q and %q", meaning, next)
	}
}

// TestFlagText checks the text of a flag in files, there and back.
func TestFlagText(t *testing.T) {
	flags := []Flag{NewFlag(FlagSteps, "pgd%d leaves 3: more", 100), {FlagNaNGradient, "at 1 of 2 images"}}
	text, err := json.Marshal(flags)
	if want := `["steps: pgd100 leaves 3: more","nan gradient: at 1 of 2 images"]`; err != nil || string(text) != want {
		t.Errorf("expected %s, found %s, %v", want, text, err)
	}
	var back []Flag
	if err := json.Unmarshal(text, &back); err != nil || !slices.Equal(back, flags) {
		t.Errorf("expected %q, found %q, %v", flags, back, err)
	}
	if err := json.Unmarshal([]byte(`["steps"]`), &back); err == nil || err.Error() != `flag "steps": expected a kind, a colon and a detail` {
		t.Errorf("found %v", err)
	}
}
