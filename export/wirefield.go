package export

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

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

func (f field) toString(dst *string) error {
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	*dst = string(f.b)
	return nil
}

func (f field) toFloat(dst *float32) error {
	*dst = math.Float32frombits(uint32(f.n))
	return f.want(protowire.Fixed32Type)
}

func (f field) toInt(dst *int64) error {
	if err := f.want(protowire.VarintType); err != nil {
		return err
	}
	*dst = int64(f.n)
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

// varints visits the numbers of a repeated varint field, packed or not.
func (f field) varints(visit func(uint64)) error {
	if f.typ == protowire.VarintType {
		visit(f.n)
		return nil
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	for pos := 0; pos < len(f.b); {
		v, n := protowire.ConsumeVarint(f.b[pos:])
		if n < 0 {
			return fmt.Errorf("byte %d: %w", f.at+pos, protowire.ParseError(n))
		}
		visit(v)
		pos += n
	}
	return nil
}

// fixed32s visits the numbers of a repeated 32-bit field, packed or not.
func (f field) fixed32s(visit func(uint32)) error {
	if f.typ == protowire.Fixed32Type {
		visit(uint32(f.n))
		return nil
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	if len(f.b)%4 != 0 {
		return f.errorf("%d bytes are no list of 4-byte numbers", len(f.b))
	}
	for pos := 0; pos < len(f.b); pos += 4 {
		v, _ := protowire.ConsumeFixed32(f.b[pos:])
		visit(v)
	}
	return nil
}

// fixed64s visits the numbers of a repeated 64-bit field, packed or not.
func (f field) fixed64s(visit func(uint64)) error {
	if f.typ == protowire.Fixed64Type {
		visit(f.n)
		return nil
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	if len(f.b)%8 != 0 {
		return f.errorf("%d bytes are no list of 8-byte numbers", len(f.b))
	}
	for pos := 0; pos < len(f.b); pos += 8 {
		v, _ := protowire.ConsumeFixed64(f.b[pos:])
		visit(v)
	}
	return nil
}
