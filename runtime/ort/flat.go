package ort

import (
	"encoding/binary"
	"errors"
)

var errFlat = errors.New("broken flatbuffer")

// flat is a table of a flatbuffer: a position in a buffer. The zero value is an absent table, whose fields are all
// absent. Every offset is checked against the buffer, since a file may claim anything.
type flat struct {
	buf []byte
	pos int
}

// flatRoot is the root table of a buffer with the given file identifier.
func flatRoot(buf []byte, identifier string) (flat, error) {
	if len(buf) < 8 || string(buf[4:8]) != identifier {
		return flat{}, errFlat
	}
	return flat{buf, 0}.follow(0)
}

// follow is the table that the offset stored at a position points to.
func (f flat) follow(at int) (flat, error) {
	offset, err := f.uint32(at)
	if err != nil {
		return flat{}, err
	}
	to := at + offset
	if to+4 > len(f.buf) {
		return flat{}, errFlat
	}
	return flat{f.buf, to}, nil
}

func (f flat) uint32(at int) (int, error) {
	if at < 0 || at+4 > len(f.buf) {
		return 0, errFlat
	}
	return int(binary.LittleEndian.Uint32(f.buf[at:])), nil
}

// field is the position of a field of the table by its index in the schema; 0 when it is absent.
func (f flat) field(index int) (int, error) {
	if f.buf == nil {
		return 0, nil
	}
	back, err := f.uint32(f.pos)
	if err != nil {
		return 0, err
	}
	vtable, entry := f.pos-int(int32(back)), 4+2*index
	if vtable < 0 || vtable+4 > len(f.buf) {
		return 0, errFlat
	}
	size := int(binary.LittleEndian.Uint16(f.buf[vtable:]))
	if entry+2 > size {
		return 0, nil
	}
	if vtable+size > len(f.buf) {
		return 0, errFlat
	}
	offset := int(binary.LittleEndian.Uint16(f.buf[vtable+entry:]))
	if offset == 0 {
		return 0, nil
	}
	return f.pos + offset, nil
}

// table is a field that holds a table.
func (f flat) table(index int) (flat, error) {
	at, err := f.field(index)
	if err != nil || at == 0 {
		return flat{}, err
	}
	return f.follow(at)
}

// text is a field that holds a string.
func (f flat) text(index int) (string, error) {
	s, err := f.table(index)
	if err != nil || s.buf == nil {
		return "", err
	}
	n, err := s.uint32(s.pos)
	if err != nil || s.pos+4+n > len(s.buf) {
		return "", errFlat
	}
	return string(s.buf[s.pos+4 : s.pos+4+n]), nil
}

// tables calls f for each element of a field that holds a vector of tables.
func (f flat) tables(index int, visit func(flat) error) error {
	v, err := f.table(index)
	if err != nil || v.buf == nil {
		return err
	}
	n, err := v.uint32(v.pos)
	if err != nil || n > (len(v.buf)-v.pos-4)/4 {
		return errFlat
	}
	for i := range n {
		t, err := v.follow(v.pos + 4 + 4*i)
		if err != nil {
			return err
		}
		if err := visit(t); err != nil {
			return err
		}
	}
	return nil
}
