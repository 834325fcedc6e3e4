package runtime

import (
	"fmt"
	"regexp"
	"strconv"

	"rnas/compiler/ir"
)

// nodeNames are the names of the nodes of a program by the number that ONNX Runtime knows them by; nil when it knows the names.
type nodeNames []string

// shorten numbers the nodes and values of g and its nested graphs, but for inputs and outputs of g: ONNX Runtime spends a sixth of the
// time in which it loads a large program on long names.
func shorten(g *ir.Graph) nodeNames {
	kept := map[*ir.Value]bool{}
	taken := map[string]bool{}
	for _, list := range [][]*ir.Value{g.Inputs, g.Outputs} {
		for _, v := range list {
			kept[v], taken[v.Name] = true, true
		}
	}
	next := 0
	rename := func(values []*ir.Value) {
		for _, v := range values {
			if v == nil || kept[v] {
				continue
			}
			kept[v] = true
			for {
				v.Name = strconv.FormatInt(int64(next), 36)
				next++
				if !taken[v.Name] {
					break
				}
			}
		}
	}
	var all nodeNames
	var walk func(g *ir.Graph)
	walk = func(g *ir.Graph) {
		rename(g.Inputs)
		for _, n := range g.Nodes {
			all = append(all, n.Name)
			n.Name = strconv.Itoa(len(all) - 1)
			rename(n.In)
			rename(n.Out)
			for _, sub := range n.Graphs() {
				walk(sub)
			}
		}
		rename(g.Outputs)
	}
	walk(g)
	return all
}

var numbered = regexp.MustCompile(`Name:'(\d+)'`)

// in gives back the names in an error of ONNX Runtime.
func (n nodeNames) in(err error) error {
	if err == nil || n == nil {
		return err
	}
	text := numbered.ReplaceAllStringFunc(err.Error(), func(s string) string {
		if i, e := strconv.Atoi(s[len("Name:'") : len(s)-1]); e == nil && i < len(n) {
			return fmt.Sprintf("Name:'%s'", n[i])
		}
		return s
	})
	if text == err.Error() {
		return err
	}
	return &renamed{text, err}
}

// renamed is an error with another text.
type renamed struct {
	text string
	error
}

func (r *renamed) Error() string { return r.text }
func (r *renamed) Unwrap() error { return r.error }
