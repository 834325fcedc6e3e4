package export

import (
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
