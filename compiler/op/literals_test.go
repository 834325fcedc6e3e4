package op_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rnas/compiler/op"
)

// notOperators are literals of the compiler that look like the name of an operator, and what they are.
var notOperators = map[string]string{
	"NOTSET": "auto_pad", "VALID": "auto_pad", "LEFT": "direction of BitShift", "RIGHT": "direction of BitShift",
	"DCR": "mode of DepthToSpace", "CRD": "mode of DepthToSpace", "N": "the symbolic batch and an attribute of MatMulNBits",
	"K":      "an attribute of MatMulNBits",
	"Affine": "activation of a recurrent operator", "ScaledTanh": "activation of a recurrent operator",
	"A": "a side of FusedMatMul", "B": "a side of FusedMatMul",
	"SequenceMap": "an operator with a nested graph that the table does not have",
}

// namesAt is the argument of a function that names an operator.
var namesAt = map[string]int{"Node": 0, "One": 0, "Reduce": 0, "native": 0, "DomainNode": 1, "DefinedBy": 1, "Lookup": 1}

// TestOperatorLiterals holds every literal of the compiler that names an operator against the table.
func TestOperatorLiterals(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		for _, l := range operatorLiterals(file) {
			switch name := text(l); {
			case notOperators[name] != "":
				seen[name] = true
			case !known(name):
				t.Errorf("%s: %q is no operator of the table", fset.Position(l.Pos()), name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, what := range notOperators {
		if !seen[name] || known(name) {
			t.Errorf("%s (%s) is no exception any more", name, what)
		}
	}
}

// Every way to name an operator is one that the check above sees.
func TestMistypedOperators(t *testing.T) {
	for _, code := range []string{
		`b.Node("relu", nil, 1)`, `b.One("Rellu", nil)`, `b.Reduce("reduceSum", x, true)`, `b.native("conv", nil)`,
		`b.DomainNode("", "max_pool", nil, 1)`, `ir.DefinedBy(v, "mul")`, `op.Lookup("", "add ")`, `_ = n.Op == "conv2d"`,
		`_ = "conv2d" != n.Op`, `switch n.Op { case "Add", "sub": }`, `_ = ir.Node{Op: "neg"}`, `n.Op, n.In = "neg", nil`,
		`_ = []string{"Add", "sub"}`, `_ = map[string]bool{"Add": true, "sub": true}`, `f("Softmaxx")`,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc f() {\n"+code+"\n}", 0)
		if err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		if !slices.ContainsFunc(operatorLiterals(file), func(l *ast.BasicLit) bool { return !known(text(l)) }) {
			t.Errorf("%s: the mistyped operator is not seen", code)
		}
	}
}

func known(name string) bool {
	return slices.ContainsFunc([]string{"", op.NCHWc, op.Microsoft}, func(domain string) bool { return op.Lookup(domain, name) != nil })
}

var operatorLike = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)

// operatorLiterals lists the literals of a file that name an operator: those that are spelled like one, and those that stand where one
// is named, whatever they are.
func operatorLiterals(file *ast.File) []*ast.BasicLit {
	var found []*ast.BasicLit
	add := func(all ...ast.Expr) {
		for _, e := range all {
			if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
				found = append(found, l)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			if n.Kind == token.STRING && operatorLike.MatchString(text(n)) {
				add(n)
			}
		case *ast.CallExpr:
			if at, ok := namesAt[called(n)]; ok && at < len(n.Args) {
				add(n.Args[at])
			}
		case *ast.BinaryExpr:
			if isOp(n.X) || isOp(n.Y) {
				add(n.X, n.Y)
			}
		case *ast.SwitchStmt:
			for _, clause := range n.Body.List {
				if isOp(n.Tag) {
					add(clause.(*ast.CaseClause).List...)
				}
			}
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				if isOp(to) && i < len(n.Rhs) {
					add(n.Rhs[i])
				}
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Op" {
				add(n.Value)
			}
		case *ast.CompositeLit:
			add(operatorList(n)...)
		}
		return true
	})
	return found
}

// operatorList is the keys of a map, or the elements of a list, if one of them is an operator.
func operatorList(n *ast.CompositeLit) []ast.Expr {
	var all []ast.Expr
	for _, e := range n.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			e = pair.Key
		}
		all = append(all, e)
	}
	switch n.Type.(type) {
	case *ast.MapType, *ast.ArrayType:
		if slices.ContainsFunc(all, func(e ast.Expr) bool { l, ok := e.(*ast.BasicLit); return ok && known(text(l)) }) {
			return all
		}
	}
	return nil
}

// isOp reports whether e is the field Op of something.
func isOp(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "Op"
}

// called is the name of the function or method that is called.
func called(n *ast.CallExpr) string {
	switch f := n.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func text(l *ast.BasicLit) string {
	s, err := strconv.Unquote(l.Value)
	if err != nil {
		return fmt.Sprint(err)
	}
	return s
}
