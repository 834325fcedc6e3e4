package pickle

import (
	"errors"
	"fmt"
	"unsafe"
)

// Estimates of memory, from above: what the stack and the memo keep of a value while they grow, and an object.
const (
	slotCost   = 64
	objectCost = 128
)

// Loader reads pickles as plain data.
type Loader struct {
	Find Finder
	// PersistentLoad returns what a persistent id stands for; nil if there are none.
	PersistentLoad func(id any) (any, error)
	// Limit bounds the memory that is taken.
	Limit *Limit
}

// machine is the state of one load: the stack, the heights at which its marks stand, and the memo.
type machine struct {
	*Loader
	in    *Reader
	stack []any
	marks []int
	memo  map[uint64]any
}

var errEmpty = errors.New("an operand is missing")

// Load reads one pickle up to its STOP opcode. An error gives the offset behind the faulty opcode.
func (l *Loader) Load(in *Reader) (any, error) {
	m := machine{Loader: l, in: in, memo: map[uint64]any{}}
	for {
		code, err := in.byte()
		if err != nil {
			return nil, err
		}
		if code == opStop {
			return m.pop()
		}
		op := opcodes[code]
		if op.do == nil {
			return nil, fmt.Errorf("offset %d: opcode %#02x is not one of files of tensors", in.pos, code)
		}
		if err := op.do(&m); err != nil {
			return nil, fmt.Errorf("offset %d: %s: %w", in.pos, op.name, err)
		}
	}
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return m.Limit.Charge(slotCost)
}

// floor is the height of the stack above which values may be taken.
func (m *machine) floor() int {
	if n := len(m.marks); n > 0 {
		return m.marks[n-1]
	}
	return 0
}

func (m *machine) pop() (any, error) {
	n := len(m.stack)
	if n <= m.floor() {
		return nil, errEmpty
	}
	v := m.stack[n-1]
	m.stack = m.stack[:n-1]
	return v, nil
}

func (m *machine) top() (any, error) {
	n := len(m.stack)
	if n <= m.floor() {
		return nil, errEmpty
	}
	return m.stack[n-1], nil
}

// popN takes the last n values, in a slice of their own.
func (m *machine) popN(n int) (Tuple, error) {
	from := len(m.stack) - n
	if from < m.floor() {
		return nil, errEmpty
	}
	return m.cut(from)
}

// popMark takes the values above the last mark, and the mark.
func (m *machine) popMark() (Tuple, error) {
	n := len(m.marks)
	if n == 0 {
		return nil, errors.New("a mark is missing")
	}
	from := m.marks[n-1]
	m.marks = m.marks[:n-1]
	return m.cut(from)
}

func (m *machine) cut(from int) (Tuple, error) {
	items := append(Tuple{}, m.stack[from:]...)
	m.stack = m.stack[:from]
	return items, m.Limit.Charge(slotCost + 16*int64(len(items)))
}

func (m *machine) text(n uint64) (string, error) {
	// Charged before anything is allocated: the length is only what the file claims.
	if n <= uint64(m.in.Left()) {
		if err := m.Limit.Charge(int64(n)); err != nil {
			return "", err
		}
	}
	b, err := m.in.take(n)
	return unsafe.String(unsafe.SliceData(b), len(b)), err
}

func (m *machine) remember(i uint64) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	m.memo[i] = v
	return m.Limit.Charge(2 * slotCost)
}

func (m *machine) recall(i uint64) error {
	v, ok := m.memo[i]
	if !ok {
		return fmt.Errorf("nothing is stored under %d", i)
	}
	return m.push(v)
}

func (m *machine) call(f any, args Tuple) error {
	call, ok := f.(Callable)
	if !ok {
		return fmt.Errorf("expected a function, found %s", Kind(f))
	}
	if err := m.Limit.Charge(objectCost); err != nil {
		return err
	}
	v, err := call(m.Limit, args)
	if err != nil {
		return err
	}
	return m.push(v)
}
