// Package pickle reads the part of Python's pickle format (PEP 307, PEP 3154, PEP 574) that files of tensors use, as plain
// data. It runs no code: a name that the caller's Finder does not know is an error, and so is whatever only works by
// calling Python.
package pickle

import "fmt"

// The values that Load returns: nil, bool, int64, float64, string, Bytes, Long, Tuple, *List, *Dict, *Object, and what a
// Finder or a PersistentLoad returned. A list or a dictionary may contain itself.
type (
	// Bytes is a Python bytes or bytearray.
	Bytes string
	// Long is an integer outside 64 bits, in little-endian two's complement.
	Long string
	// Tuple is a Python tuple.
	Tuple []any
	// List is a Python list or set.
	List struct{ Items []any }
	// Dict is a Python dict. The pairs stand in the order of insertion; a key that was set again occurs again.
	Dict struct{ Pairs []Pair }
	// Pair is an entry of a Dict.
	Pair struct{ Key, Value any }
	// Object is an instance of a class that is kept as data.
	Object struct {
		Class string // module and name
		Args  Tuple  // of its construction
		State any
	}
)

// Callable stands for a class or function of the file: the value that it returns takes the place of the result of the
// call. A Callable reports a result larger than its arguments to Limit.Charge.
type Callable func(l *Limit, args Tuple) (any, error)

// Finder returns what a global name stands for: a Callable or any other value. A Finder must not return a value that
// came with the file.
type Finder func(module, name string) (any, error)

// Record returns a Callable that keeps an instance of class as an *Object.
func Record(class string) Callable {
	return func(_ *Limit, args Tuple) (any, error) { return &Object{Class: class, Args: args}, nil }
}

// Lookup returns the last value that the dictionary has under key, and whether there is one.
func (d *Dict) Lookup(key string) (any, bool) {
	for i := len(d.Pairs) - 1; i >= 0; i-- {
		if d.Pairs[i].Key == key {
			return d.Pairs[i].Value, true
		}
	}
	return nil, false
}

// Kind names the Python type of a value for an error.
func Kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64, Long:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case Bytes:
		return "bytes"
	case Tuple:
		return "tuple"
	case *List:
		return "list"
	case *Dict:
		return "dict"
	case *Object:
		return v.Class
	case Callable:
		return "function"
	}
	return fmt.Sprintf("%T", v)
}

// Limit bounds the memory of all loads that share the Limit.
type Limit struct {
	Left int64 // bytes, estimated from above
}

// Charge takes n bytes away from what is left. It is an error if fewer are left.
func (l *Limit) Charge(n int64) error {
	if l.Left -= n; l.Left < 0 {
		return fmt.Errorf("more objects than a file of tensors has")
	}
	return nil
}
