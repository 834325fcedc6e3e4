package export

import (
	"fmt"

	"rnas/compiler/ir"
)

// scope maps the value names of one graph in the file to values; an optional input of a function that a call leaves out
// is nil.
type scope struct {
	values map[string]*ir.Value
	outer  *scope
	attrs  map[string]any // of the call, in a function; nil elsewhere
	prefix string         // of the names in a function
	nested bool           // names may occur elsewhere too
}

// inside is a scope for a graph nested in that of s.
func (s *scope) inside() *scope {
	if s == nil {
		return &scope{values: map[string]*ir.Value{}}
	}
	return &scope{values: map[string]*ir.Value{}, outer: s, attrs: s.attrs, prefix: s.prefix, nested: true}
}

func (s *scope) find(name string) (v *ir.Value, ok bool) {
	for ; s != nil; s = s.outer {
		if v, ok := s.values[name]; ok {
			return v, true
		}
	}
	return nil, false
}

// input finds the input of a node; the empty name is that of an absent one.
func (s *scope) input(name string) (*ir.Value, error) {
	v, ok := s.find(name)
	if !ok && name != "" {
		return nil, fmt.Errorf("input %q is not defined", name)
	}
	return v, nil
}

// alias makes name another name of v.
func (s *scope) alias(name string, v *ir.Value) error {
	if name == "" {
		return fmt.Errorf("a value without a name")
	}
	if _, ok := s.values[name]; ok {
		return fmt.Errorf("value %q is defined twice", name)
	}
	s.values[name] = v
	return nil
}

// define adds a value of the file to the scope and gives it its final name.
func (r *reader) define(s *scope, name string, v *ir.Value) error {
	if err := s.alias(name, v); err != nil {
		return err
	}
	v.Name = name
	if s.nested {
		v.Name = r.names.fresh(s.prefix + name)
	}
	return nil
}
