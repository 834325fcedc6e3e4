package export

import (
	"errors"
	"fmt"

	"rnas/compiler/ir"
	"rnas/internal/tensor"
)

// edit changes a node.
type edit func(r *reader, n *ir.Node) error

func inPlace(edits ...edit) func(*reader, *ir.Node) ([]*ir.Node, error) {
	return func(r *reader, n *ir.Node) ([]*ir.Node, error) {
		for _, e := range edits {
			if err := e(r, n); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
}

// take removes an attribute and returns its value; nil when it is absent.
func take[T any](n *ir.Node, name string) (*T, error) {
	a, ok := n.Attrs[name]
	if !ok {
		return nil, nil
	}
	v, ok := a.(T)
	if !ok {
		return nil, fmt.Errorf("attribute %s: expected %T, found %T", name, v, a)
	}
	delete(n.Attrs, name)
	return &v, nil
}

// addInput appends t, nil for an absent optional input, to the inputs of n.
func (r *reader) addInput(n *ir.Node, name string, t *tensor.Tensor) {
	if t == nil {
		n.In = append(n.In, nil)
		return
	}
	v := constant(t)
	v.Name = r.names.fresh(base(n) + "." + name)
	n.In = append(n.In, v)
}

// base is what names of values made for n start with.
func base(n *ir.Node) string {
	if n.Name == "" {
		return n.Op
	}
	return n.Name
}

// trim removes absent inputs at the end.
func trim(n *ir.Node) {
	for len(n.In) > 0 && n.In[len(n.In)-1] == nil {
		n.In = n.In[:len(n.In)-1]
	}
}

// intsToInputs turns integer-list attributes into inputs behind those that n has.
func intsToInputs(names ...string) edit {
	return func(r *reader, n *ir.Node) error {
		for _, name := range names {
			v, err := take[[]int64](n, name)
			if err != nil {
				return err
			}
			if v == nil {
				r.addInput(n, name, nil)
				continue
			}
			r.addInput(n, name, tensor.Vector(*v...))
		}
		trim(n)
		return nil
	}
}

// floatsToInputs turns float attributes into scalar inputs of the type of the first one.
func floatsToInputs(names ...string) edit {
	return func(r *reader, n *ir.Node) error {
		for _, name := range names {
			v, err := take[float32](n, name)
			if err != nil {
				return err
			}
			if v == nil {
				r.addInput(n, name, nil)
				continue
			}
			if n.Input(0) == nil || !n.In[0].Type.IsFloat() {
				return fmt.Errorf("attribute %s needs a first input of floats", name)
			}
			r.addInput(n, name, tensor.FromFloat64s(n.In[0].Type, nil, []float64{float64(*v)}))
		}
		trim(n)
		return nil
	}
}

// intToInput turns a required integer attribute into an input of shape [1].
func intToInput(name string) edit {
	return func(r *reader, n *ir.Node) error {
		v, err := take[int64](n, name)
		if err != nil {
			return err
		}
		if v == nil {
			return fmt.Errorf("attribute %s is missing", name)
		}
		r.addInput(n, name, tensor.Vector(*v))
		return nil
	}
}

func dropDefault(name string, value any) edit {
	return func(_ *reader, n *ir.Node) error {
		if v, ok := n.Attrs[name]; ok && v != value {
			return fmt.Errorf("attribute %s=%v is not supported", name, v)
		}
		delete(n.Attrs, name)
		return nil
	}
}

func refuse(why string) edit {
	return func(*reader, *ir.Node) error { return errors.New(why) }
}

func rename(op string) edit {
	return func(_ *reader, n *ir.Node) error {
		n.Op = op
		return nil
	}
}

// renameMode gives a value of the attribute mode another name.
func renameMode(from, to string) edit {
	return func(_ *reader, n *ir.Node) error {
		if n.Str("mode", "") == from {
			set(n, "mode", to)
		}
		return nil
	}
}

func remove(name string) edit {
	return func(_ *reader, n *ir.Node) error {
		delete(n.Attrs, name)
		return nil
	}
}
