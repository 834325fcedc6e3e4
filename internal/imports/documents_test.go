package imports

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documents are the pages whose paths and identifiers have to exist.
var documents = []string{"README.md", "CONTRIBUTING.md", "RATIONALE.md", "docs/architecture.md", "docs/bench.md", "docs/checks.md", "docs/models.md"}

var (
	fence     = regexp.MustCompile("(?ms)^```.*?^```$")
	inline    = regexp.MustCompile("`([^`\n]+)`")
	link      = regexp.MustCompile(`\]\(([^)#]*)(?:#[^)]*)?\)`)
	pathLike  = regexp.MustCompile(`^[\w.*-]+(/[\w.*-]+)*/?$`)
	qualified = regexp.MustCompile(`^(\w+)((?:\.[A-Z]\w*[a-z]\w*)+)$`) // names in capitals stand for others
	source    = regexp.MustCompile(`^[\w-]+\.(go|py|sh|mjs)$`)
)

// TestDocuments holds the pages against the tree: the target of every link, every path in backticks that begins with a folder
// of the repository, every name of a source file, and every package.Identifier exist. Blocks of code are not looked at.
func TestDocuments(t *testing.T) {
	root := filepath.Join("..", "..")
	files, packages := tree(t, root)
	checked := 0
	for _, page := range documents {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Error(err)
			continue
		}
		prose := fence.ReplaceAllString(string(text), "")
		for _, m := range link.FindAllStringSubmatch(prose, -1) {
			if m[1] != "" && !strings.Contains(m[1], "://") && !exists(files, path.Join(path.Dir(page), m[1])) {
				t.Errorf("%s links to %s, which does not exist", page, m[1])
			}
		}
		for _, m := range inline.FindAllStringSubmatch(prose, -1) {
			known, ok := named(m[1], files, packages)
			if ok {
				checked++
			}
			if ok && !known {
				t.Errorf("%s: `%s` does not exist", page, m[1])
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d paths and identifiers were recognised", checked)
	}
}

// named reports whether text names something of the repository (ok), and whether that exists.
func named(text string, files map[string]bool, packages map[string]map[string]bool) (known, ok bool) {
	if m := qualified.FindStringSubmatch(text); m != nil && packages[m[1]] != nil {
		for _, part := range strings.Split(m[2], ".")[1:] {
			if !packages[m[1]][part] {
				return false, true
			}
		}
		return true, true
	}
	if !pathLike.MatchString(text) {
		return false, false
	}
	if top, _, nested := strings.Cut(text, "/"); nested && files[top] {
		return exists(files, strings.TrimSuffix(text, "/")), true
	}
	if source.MatchString(text) {
		return files["*/"+text], true
	}
	return false, false
}

// exists reports whether a path, which may have stars, is in the tree.
func exists(files map[string]bool, name string) bool {
	if files[name] {
		return true
	}
	for file := range files {
		if ok, err := path.Match(name, file); err == nil && ok {
			return true
		}
	}
	return false
}

// tree lists the files and folders of the repository, files also as "*/" and their name, and what each package declares.
func tree(t *testing.T, root string) (files map[string]bool, packages map[string]map[string]bool) {
	t.Helper()
	files, packages = map[string]bool{}, map[string]map[string]bool{}
	err := filepath.WalkDir(root, func(full string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, full)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() && (name == "bin" || name == "runs" || strings.HasPrefix(d.Name(), ".") && name != "." && name != ".ci") {
			return filepath.SkipDir
		}
		files[name], files["*/"+d.Name()] = true, true
		if strings.HasSuffix(name, ".go") {
			return declare(full, packages)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, packages
}

// declare adds to packages what a Go file declares: functions, methods, types, their fields, constants and variables.
func declare(file string, packages map[string]map[string]bool) error {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	names := packages[f.Name.Name]
	if names == nil {
		names = map[string]bool{}
		packages[f.Name.Name] = names
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			names[n.Name.Name] = true
		case *ast.TypeSpec:
			names[n.Name.Name] = true
		case *ast.ValueSpec:
			for _, name := range n.Names {
				names[name.Name] = true
			}
		case *ast.Field:
			for _, name := range n.Names {
				names[name.Name] = true
			}
		}
		return true
	})
	return nil
}
