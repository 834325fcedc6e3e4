package pickle

import (
	"errors"
	"fmt"
)

// The opcodes that name, make and fill objects: what is made is data, or what the Finder's Callable returned.

func global(m *machine) error {
	module, err := m.in.line()
	if err != nil {
		return err
	}
	name, err := m.in.line()
	if err != nil {
		return err
	}
	return m.find(module, name)
}

func stackGlobal(m *machine) error {
	names, err := m.popN(2)
	if err != nil {
		return err
	}
	module, ok := names[0].(string)
	name, also := names[1].(string)
	if !ok || !also {
		return fmt.Errorf("expected a module and a name, found %s and %s", Kind(names[0]), Kind(names[1]))
	}
	return m.find(module, name)
}

func (m *machine) find(module, name string) error {
	if err := m.Limit.Charge(objectCost); err != nil {
		return err
	}
	v, err := m.Find(module, name)
	return m.pushed(v, err)
}

func persistent(m *machine) error {
	id, err := m.pop()
	if err != nil {
		return err
	}
	if m.PersistentLoad == nil {
		return errors.New("data outside the pickle")
	}
	if err := m.Limit.Charge(objectCost); err != nil {
		return err
	}
	v, err := m.PersistentLoad(id)
	return m.pushed(v, err)
}

func reduce(m *machine) error {
	operands, err := m.popN(2)
	if err != nil {
		return err
	}
	args, ok := operands[1].(Tuple)
	if !ok {
		return fmt.Errorf("expected a tuple of arguments, found %s", Kind(operands[1]))
	}
	return m.call(operands[0], args)
}

func newObjEx(m *machine) error {
	operands, err := m.popN(3)
	if err != nil {
		return err
	}
	args, ok := operands[1].(Tuple)
	named, also := operands[2].(*Dict)
	switch {
	case !ok || !also:
		return fmt.Errorf("expected a tuple and a dict of arguments, found %s and %s", Kind(operands[1]), Kind(operands[2]))
	case len(named.Pairs) > 0:
		return errors.New("named arguments")
	}
	return m.call(operands[0], args)
}

// build sets the state of an object. The attributes of a dictionary, such as the versions that PyTorch hangs on an
// OrderedDict of parameters, are dropped.
func build(m *machine) error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *Object:
		v.State = state
	case *Dict:
	default:
		return fmt.Errorf("expected an object, found %s", Kind(v))
	}
	return nil
}
