package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"rnas/internal/fault"
)

// maxFile bounds the size of a study file in bytes.
const maxFile = 1 << 20

// ReadFile reads a study from a YAML or JSON file, see ParseFile.
func ReadFile(path string) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fault.Input(err)
	}
	if info.Size() > maxFile {
		return nil, fault.Inputf("%s: expected a study of at most %d bytes, found %d", path, maxFile, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Input(err)
	}
	f, err := ParseFile(data)
	if err != nil {
		return nil, fault.Inputf("%s:%w", path, err)
	}
	return f, nil
}

// ParseFile reads a study from YAML, of which JSON is a part, and checks all of it but the settings of the stages, which only
// the stages know. Unknown and repeated keys are errors. An error begins with the number of its line, if it has one, and a
// colon.
func ParseFile(data []byte) (*File, error) {
	f := &File{}
	if err := yaml.UnmarshalWithOptions(data, f, yaml.Strict()); err != nil {
		return nil, placed(err)
	}
	for i := range f.Arms {
		for _, stage := range withFlags {
			own, shared := f.Arms[i].Of(stage), *f.Defaults.Of(stage)
			if *own == nil && shared == nil {
				continue
			}
			all := Settings{}
			maps.Copy(all, shared)
			maps.Copy(all, *own)
			*own = all
		}
	}
	if err := f.validate(); err != nil {
		return nil, fmt.Errorf(" %w", err)
	}
	return f, nil
}

// placed rewords an error of the YAML library as one line that begins with its place.
func placed(err error) error {
	var e yaml.Error
	if !errors.As(err, &e) {
		return fmt.Errorf(" %s", firstLine(err.Error()))
	}
	message := firstLine(e.GetMessage())
	if t := e.GetToken(); t != nil && t.Position != nil {
		return fmt.Errorf("%d: %s", t.Position.Line, message)
	}
	return fmt.Errorf(" %s", message)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// UnmarshalYAML takes a number, a word or a truth value as it is written, and a list as its elements separated by commas.
func (s *Setting) UnmarshalYAML(node ast.Node) error {
	s.Line = node.GetToken().Position.Line
	if list, ok := node.(*ast.SequenceNode); ok {
		var texts []string
		for _, v := range list.Values {
			text, err := scalar(v)
			if err != nil {
				return err
			}
			texts = append(texts, text)
		}
		s.Text = strings.Join(texts, ",")
		return nil
	}
	var err error
	s.Text, err = scalar(node)
	return err
}

func scalar(node ast.Node) (string, error) {
	t := node.GetToken()
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return t.Value, nil
	}
	return "", &yaml.SyntaxError{Message: "expected a number, a word, true, false or a list of them", Token: t}
}

// MarshalJSON writes the text.
func (s Setting) MarshalJSON() ([]byte, error) { return json.Marshal(s.Text) }

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Setting) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &s.Text) }

// UnmarshalYAML reads a list of seeds, or a text such as 0-9 or 0-4,7.
func (s *Seeds) UnmarshalYAML(node ast.Node) error {
	var setting Setting
	if err := setting.UnmarshalYAML(node); err != nil {
		return err
	}
	seeds, err := ParseSeeds(setting.Text)
	if err != nil {
		return &yaml.SyntaxError{Message: "seeds: " + err.Error(), Token: node.GetToken()}
	}
	*s = seeds
	return nil
}
