package imports

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The most lines that a hand-written file and a function may have.
const (
	fileLines     = 350
	functionLines = 80
)

// TestSizes measures every file of the module that is not generated, and every function in it.
func TestSizes(t *testing.T) {
	root := filepath.Join("..", "..")
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir():
			if path != root && (strings.HasPrefix(name, ".") || name == "testdata") {
				return filepath.SkipDir
			}
			return nil
		case !strings.HasSuffix(name, ".go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if ast.IsGenerated(file) {
			return nil
		}
		files++
		if n := bytes.Count(text, []byte("\n")); n > fileLines {
			t.Errorf("%s: expected at most %d lines, found %d", path, fileLines, n)
		}
		ast.Inspect(file, func(f ast.Node) bool {
			switch f.(type) {
			case *ast.FuncDecl, *ast.FuncLit:
				if n := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; n > functionLines {
					t.Errorf("%s: expected a function of at most %d lines, found %d", set.Position(f.Pos()), functionLines, n)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Error("no files found")
	}
}
