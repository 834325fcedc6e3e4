package export

import (
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protobuf message under construction. Long byte strings are kept by reference, so weights are copied
// once, when the whole message is written out.
type message struct {
	done [][]byte
	size int // of done
	tail []byte
}

// byReference is the length from which a byte string is worth an entry of its own.
const byReference = 1 << 12

func (m *message) len() int { return m.size + len(m.tail) }

func (m *message) raw(b []byte) {
	if len(b) < byReference {
		m.tail = append(m.tail, b...)
		return
	}
	m.flush()
	m.done = append(m.done, b)
	m.size += len(b)
}

func (m *message) flush() {
	if len(m.tail) > 0 {
		m.done = append(m.done, m.tail)
		m.size += len(m.tail)
		m.tail = nil
	}
}

func (m *message) int(num protowire.Number, v int64) {
	m.tail = protowire.AppendTag(m.tail, num, protowire.VarintType)
	m.tail = protowire.AppendVarint(m.tail, uint64(v))
}

func (m *message) fixed32(num protowire.Number, bits uint32) {
	m.tail = protowire.AppendTag(m.tail, num, protowire.Fixed32Type)
	m.tail = protowire.AppendFixed32(m.tail, bits)
}

func (m *message) string(num protowire.Number, s string) {
	m.tail = protowire.AppendTag(m.tail, num, protowire.BytesType)
	m.tail = protowire.AppendString(m.tail, s)
}

// optional writes s unless it is empty, the value of an absent field.
func (m *message) optional(num protowire.Number, s string) {
	if s != "" {
		m.string(num, s)
	}
}

func (m *message) bytes(num protowire.Number, b []byte) {
	m.tail = protowire.AppendTag(m.tail, num, protowire.BytesType)
	m.tail = protowire.AppendVarint(m.tail, uint64(len(b)))
	m.raw(b)
}

func (m *message) sub(num protowire.Number, s *message) {
	m.tail = protowire.AppendTag(m.tail, num, protowire.BytesType)
	m.tail = protowire.AppendVarint(m.tail, uint64(s.len()))
	for _, b := range s.done {
		m.raw(b)
	}
	m.raw(s.tail)
}

func (m *message) writeTo(w io.Writer) error {
	m.flush()
	for _, b := range m.done {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func (m *message) concat() []byte {
	m.flush()
	out := make([]byte, 0, m.size)
	for _, b := range m.done {
		out = append(out, b...)
	}
	return out
}

// field is one field of an encoded message: n holds varints and fixed-width values, b length-delimited ones. at is the
// offset of the value within the file, for error messages.
type field struct {
	num protowire.Number
	typ protowire.Type
	n   uint64
	b   []byte
	at  int
}

// span is a part of the file that holds an encoded message; at is its offset.
type span struct {
	b  []byte
	at int
}

func (f field) span() span { return span{f.b, f.at} }

func (f field) errorf(format string, args ...any) error {
	return fmt.Errorf("byte %d: %w", f.at, fmt.Errorf(format, args...))
}

// want checks the wire type of a known field.
func (f field) want(t protowire.Type) error {
	if f.typ != t {
		return f.errorf("field %d has wire type %d, expected %d", f.num, f.typ, t)
	}
	return nil
}

// each calls visit for every field of an encoded message. Groups, which no ONNX message has, are skipped.
func (s span) each(visit func(field) error) error {
	for pos := 0; pos < len(s.b); {
		num, typ, n := protowire.ConsumeTag(s.b[pos:])
		if n < 0 {
			return fmt.Errorf("byte %d: %w", s.at+pos, protowire.ParseError(n))
		}
		f := field{num: num, typ: typ}
		pos += n
		rest := s.b[pos:]
		switch typ {
		case protowire.VarintType:
			f.n, n = protowire.ConsumeVarint(rest)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(rest)
			f.n = uint64(v)
		case protowire.Fixed64Type:
			f.n, n = protowire.ConsumeFixed64(rest)
		case protowire.BytesType:
			f.b, n = protowire.ConsumeBytes(rest)
		default:
			n = protowire.ConsumeFieldValue(num, typ, rest)
		}
		if n < 0 {
			return fmt.Errorf("byte %d: %w", s.at+pos, protowire.ParseError(n))
		}
		f.at = s.at + pos
		if typ == protowire.BytesType {
			f.at += n - len(f.b)
		}
		pos += n
		if typ == protowire.StartGroupType {
			continue
		}
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}
