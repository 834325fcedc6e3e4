package pickle

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

const opStop = '.'

type opcode struct {
	name string
	do   func(m *machine) error
}

// opcodes has the rows of protocols 1 to 5 that torch.save and numpy write. Text forms that only protocol 0 uses are not
// among them, since persistent ids that are tuples need protocol 1; neither are opcodes that build instances of
// arbitrary classes (INST, OBJ), registered extensions (EXT) and buffers outside the stream.
var opcodes = [256]opcode{
	0x80: {"PROTO", proto},
	0x95: {"FRAME", func(m *machine) error { _, err := m.in.unsigned(8); return err }},
	'(':  {"MARK", mark},
	'0':  {"POP", pop},
	'1':  {"POP_MARK", func(m *machine) error { _, err := m.popMark(); return err }},
	'2':  {"DUP", dup},

	'N':  {"NONE", constant(nil)},
	0x88: {"NEWTRUE", constant(true)},
	0x89: {"NEWFALSE", constant(false)},
	'I':  {"INT", textInt},
	'L':  {"LONG", textLong},
	'J': {"BININT", func(m *machine) error {
		n, err := m.in.unsigned(4)
		return m.pushed(int64(int32(n)), err)
	}},
	'K':  {"BININT1", unsignedInt(1)},
	'M':  {"BININT2", unsignedInt(2)},
	0x8a: {"LONG1", long(1)},
	0x8b: {"LONG4", long(4)},
	'G':  {"BINFLOAT", binFloat},

	'T':  {"BINSTRING", str(4)},
	'U':  {"SHORT_BINSTRING", str(1)},
	'X':  {"BINUNICODE", str(4)},
	0x8c: {"SHORT_BINUNICODE", str(1)},
	0x8d: {"BINUNICODE8", str(8)},
	'B':  {"BINBYTES", data(4)},
	'C':  {"SHORT_BINBYTES", data(1)},
	0x8e: {"BINBYTES8", data(8)},
	0x96: {"BYTEARRAY8", data(8)},

	')':  {"EMPTY_TUPLE", func(m *machine) error { return m.push(Tuple{}) }},
	0x85: {"TUPLE1", tuple(1)},
	0x86: {"TUPLE2", tuple(2)},
	0x87: {"TUPLE3", tuple(3)},
	't':  {"TUPLE", func(m *machine) error { items, err := m.popMark(); return m.pushed(items, err) }},
	']':  {"EMPTY_LIST", func(m *machine) error { return m.push(&List{}) }},
	0x8f: {"EMPTY_SET", func(m *machine) error { return m.push(&List{}) }},
	'l':  {"LIST", list},
	0x91: {"FROZENSET", list},
	'a':  {"APPEND", func(m *machine) error { items, err := m.popN(1); return m.extend(items, err) }},
	'e':  {"APPENDS", func(m *machine) error { items, err := m.popMark(); return m.extend(items, err) }},
	0x90: {"ADDITEMS", func(m *machine) error { items, err := m.popMark(); return m.extend(items, err) }},
	'}':  {"EMPTY_DICT", func(m *machine) error { return m.push(&Dict{}) }},
	'd':  {"DICT", dict},
	's':  {"SETITEM", func(m *machine) error { items, err := m.popN(2); return m.update(items, err) }},
	'u':  {"SETITEMS", func(m *machine) error { items, err := m.popMark(); return m.update(items, err) }},

	'q':  {"BINPUT", put(1)},
	'r':  {"LONG_BINPUT", put(4)},
	0x94: {"MEMOIZE", func(m *machine) error { return m.remember(uint64(len(m.memo))) }},
	'h':  {"BINGET", get(1)},
	'j':  {"LONG_BINGET", get(4)},

	'c':  {"GLOBAL", global},
	0x93: {"STACK_GLOBAL", stackGlobal},
	'Q':  {"BINPERSID", persistent},
	'R':  {"REDUCE", reduce},
	0x81: {"NEWOBJ", reduce},
	0x92: {"NEWOBJ_EX", newObjEx},
	'b':  {"BUILD", build},
}

// pushed pushes what an operand was read as.
func (m *machine) pushed(v any, err error) error {
	if err != nil {
		return err
	}
	return m.push(v)
}

func proto(m *machine) error {
	const newest = 5
	v, err := m.in.byte()
	if err == nil && v > newest {
		return fmt.Errorf("expected a protocol up to %d, found %d", newest, v)
	}
	return err
}

func mark(m *machine) error {
	m.marks = append(m.marks, len(m.stack))
	return m.Limit.Charge(slotCost)
}

func pop(m *machine) error {
	if n := len(m.marks); n > 0 && len(m.stack) == m.marks[n-1] {
		m.marks = m.marks[:n-1]
		return nil
	}
	_, err := m.pop()
	return err
}

func dup(m *machine) error {
	v, err := m.top()
	return m.pushed(v, err)
}

func constant(v any) func(m *machine) error { return func(m *machine) error { return m.push(v) } }

func textInt(m *machine) error {
	s, err := m.in.line()
	if err != nil {
		return err
	}
	if s == "00" || s == "01" {
		return m.push(s == "01")
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return m.pushed(n, err)
}

func textLong(m *machine) error {
	s, err := m.in.line()
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(s, "L"), 10, 64)
	return m.pushed(n, err)
}

func unsignedInt(width int) func(m *machine) error {
	return func(m *machine) error {
		n, err := m.in.unsigned(width)
		return m.pushed(int64(n), err)
	}
}

func long(width int) func(m *machine) error {
	return func(m *machine) error {
		n, err := m.in.unsigned(width)
		if err != nil {
			return err
		}
		s, err := m.text(n)
		if err != nil {
			return err
		}
		if len(s) > 8 {
			return m.push(Long(s))
		}
		v := int64(0)
		if len(s) > 0 && s[len(s)-1] >= 0x80 {
			v = -1
		}
		for i := len(s) - 1; i >= 0; i-- {
			v = v<<8 | int64(s[i])
		}
		return m.push(v)
	}
}

func binFloat(m *machine) error {
	bits := uint64(0)
	for range 8 {
		b, err := m.in.byte()
		if err != nil {
			return err
		}
		bits = bits<<8 | uint64(b)
	}
	return m.push(math.Float64frombits(bits))
}

func str(width int) func(m *machine) error {
	return func(m *machine) error {
		n, err := m.in.unsigned(width)
		if err != nil {
			return err
		}
		s, err := m.text(n)
		return m.pushed(s, err)
	}
}

func data(width int) func(m *machine) error {
	return func(m *machine) error {
		n, err := m.in.unsigned(width)
		if err != nil {
			return err
		}
		s, err := m.text(n)
		return m.pushed(Bytes(s), err)
	}
}

func tuple(n int) func(m *machine) error {
	return func(m *machine) error {
		items, err := m.popN(n)
		return m.pushed(items, err)
	}
}

func list(m *machine) error {
	items, err := m.popMark()
	return m.pushed(&List{Items: items}, err)
}

func dict(m *machine) error {
	items, err := m.popMark()
	if err == nil {
		err = m.push(&Dict{})
	}
	return m.update(items, err)
}

func put(width int) func(m *machine) error {
	return func(m *machine) error {
		i, err := m.in.unsigned(width)
		if err != nil {
			return err
		}
		return m.remember(i)
	}
}

func get(width int) func(m *machine) error {
	return func(m *machine) error {
		i, err := m.in.unsigned(width)
		if err != nil {
			return err
		}
		return m.recall(i)
	}
}

// extend appends items to the list on the stack.
func (m *machine) extend(items Tuple, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	l, ok := v.(*List)
	if !ok {
		return fmt.Errorf("expected a list, found %s", Kind(v))
	}
	l.Items = append(l.Items, items...)
	return m.Limit.Charge(32 * int64(len(items)))
}

// update sets keys and values, which alternate in items, in the dictionary on the stack.
func (m *machine) update(items Tuple, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	d, ok := v.(*Dict)
	switch {
	case !ok:
		return fmt.Errorf("expected a dict, found %s", Kind(v))
	case len(items)%2 != 0:
		return errors.New("a key has no value")
	}
	for i := 0; i < len(items); i += 2 {
		d.Pairs = append(d.Pairs, Pair{items[i], items[i+1]})
	}
	return m.Limit.Charge(48 * int64(len(items)))
}
